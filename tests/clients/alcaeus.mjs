// node alcaeus.mjs BASE TOKEN: a walk from the entry point, along links and operations, to an instance that
// is made, renamed and deleted. What is known beforehand is the entry point and what a few terms mean.

import { authorization, base, print, requests } from './service.mjs'
import formats from '@rdfjs/formats'
import parent from '@zazuko/env'
import Environment from '@zazuko/env/Environment.js'
import alcaeus from 'alcaeus'

const env = new Environment(alcaeus(), { parent })
env.formats.import(formats)
env.hydra.defaultHeaders = authorization
const { as, hydra, rdf } = env.ns
const registry = env.namespace(`${base}/vocab#`)
const name = env.namedNode('https://schema.org/name')
const LD_JSON = { 'Content-Type': 'application/ld+json' }
const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' }

const load = (url, headers) => env.hydra.loadResource(url, headers)
const iri = (resource) => resource?.id.value ?? null
const types = (resource) => resource.pointer.out(rdf.type).values.sort()
const listed = (operations) => operations.map(({ method, title }) => `${method} ${title}`)

/** By the classes of a resource, and by the property that leads to it. */
const documented = (resource) => listed(resource.operations)

/** By what the representation itself offers. */
const offered = (resource) =>
  listed(resource.pointer.out(hydra.operation).map((operation) => env.rdfine.hydra.Operation(operation)))

function answer({ response, representation }) {
  const root = representation?.root
  return {
    status: response.xhr.status,
    address: response.resourceUri,
    root: iri(root),
    name: root?.pointer.out(name).value ?? null,
  }
}

function problem({ response, representation: { root } }) {
  const { title = null, description = null, statusCode = null } = root
  const violations = root.pointer.out(registry.violations)
  return {
    status: response.xhr.status,
    types: types(root),
    title,
    description,
    statusCode,
    violations: violations.map((violation) => violation.out(registry.propertyPath).value).sort(),
  }
}

const found = { requests }

// The entry point, its documentation, and the two ways to its collections.
const entrypoint = (await load(`${base}/api`)).representation.root
const { apiDocumentation } = entrypoint
found.entrypoint = {
  id: iri(entrypoint),
  types: types(entrypoint),
  documentation: [iri(apiDocumentation), apiDocumentation.title, iri(apiDocumentation.entrypoint)],
  documented: documented(entrypoint),
  offered: offered(entrypoint),
  links: Object.fromEntries(
    entrypoint
      .getLinks()
      .map(({ supportedProperty, resources }) => [supportedProperty.title, resources.map(iri)]),
  ),
}
const holder = env.rdfine.hydra.Resource(entrypoint.pointer)
found.entrypoint.collections = {
  organizations: holder.getCollections({ object: registry.Organization }).map(iri),
  instances: holder.getCollections({ object: registry.Instance }).map(iri),
}

// A collection, its pages and its search.
const [link] = holder.getCollections({ object: registry.Instance })
const collection = (await link.load()).representation.root
const [create] = collection.findOperations({ byMethod: 'POST' })
found.collection = {
  id: iri(collection),
  types: types(collection),
  documented: documented(collection),
  offered: offered(collection),
  member: documented(collection.member[0]),
  input: Object.fromEntries(
    create.expects[0].supportedProperty
      .filter(({ writable }) => writable)
      .map(({ title, required }) => [title, required]),
  ),
}

async function pages(...wanted) {
  const values = env.clownface().blankNode()
  for (const [property, value] of wanted) values.addOut(property, value)
  const walked = []
  for (let next = collection.search.expand(values); next && walked.length < 10; ) {
    const page = (await load(next)).representation.root
    const [view] = page.view
    walked.push({
      collection: iri(page),
      totalItems: page.totalItems ?? null,
      members: page.member.map((member) => member.pointer.out(name).value),
      view: iri(view),
      first: iri(view.first),
      previous: iri(view.previous),
      next: iri(view.next),
      last: iri(view.last),
    })
    next = iri(view.next)
  }
  return walked
}

found.pages = {
  byNumber: await pages([hydra.limit, '4'], [hydra.pageIndex, '1']),
  byCursor: await pages([hydra.limit, '4']),
  byHandle: await pages([registry.handle, 'eu']),
}

// An instance from its beginning to its end, and what the service refuses on the way.
const organization = collection.member[0].pointer.out(registry.organization).value
const content = JSON.stringify({ name: 'Made by a client', handle: 'made-by-a-client', organization })
const made = await create.invoke(content, LD_JSON)
const instance = made.representation.root
const [rename] = instance.findOperations({ byMethod: 'PATCH' })
const [remove] = instance.findOperations({ byMethod: 'DELETE' })
found.instance = {
  types: types(instance),
  documented: documented(instance),
  offered: offered(instance),
  created: answer(made),
}
const loaded = await load(instance.id)
found.instance.loaded = answer(loaded)
found.instance.reloaded = answer(await load(instance.id))

const condition = { 'If-Match': loaded.response.xhr.headers.get('ETag') }
const renaming = (name) => rename.invoke(JSON.stringify({ name }), { ...MERGE_PATCH, ...condition })
found.instance.renamed = answer(await renaming('Renamed by a client'))
found.problems = {
  'precondition-failed': problem(await renaming('Renamed too late')),
  'handle-taken': problem(await create.invoke(content, LD_JSON)),
  'invalid-content': problem(await create.invoke('{"name": 7, "handle": "Capitals"}', LD_JSON)),
  'not-found': problem(await load(`${base}/api/instances/nowhere`)),
}
found.instance.reloadedAfterwards = answer(await load(instance.id))

found.instance.removed = answer(await remove.invoke())
const gone = await load(instance.id)
found.problems.gone = problem(gone)
found.tombstones = gone.representation
  .ofType(as.Tombstone)
  .map((tombstone) => [iri(tombstone), tombstone.pointer.out(as.formerType).value])

// Last, because the client asks for the documentation with the same token.
found.problems['not-authenticated'] = problem(await load(link.id, { Authorization: 'Bearer no-token' }))

print(found)
