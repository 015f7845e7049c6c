// node alcaeus.mjs BASE TOKEN: a walk from the entry point, along links and operations alone, to an instance that is
// made, renamed and deleted. Nothing else is known beforehand than what a few terms mean.

import { authorization, base, print, requests } from './service.mjs'
import formats from '@rdfjs/formats'
import parent from '@zazuko/env'
import Environment from '@zazuko/env/Environment.js'
import alcaeus from 'alcaeus'

const env = new Environment(alcaeus(), { parent })
env.formats.import(formats)
env.hydra.defaultHeaders = authorization
const { as, hydra } = env.ns
const registry = env.namespace(`${base}/vocab#`)
const name = env.namedNode('https://schema.org/name')

const iri = (resource) => resource?.id.value ?? null
const types = (resource) => resource.pointer.out(env.ns.rdf.type).values.sort()
const listed = (operations) => operations.map(({ method, title }) => `${method} ${title}`)
const documented = (resource) => listed(resource.operations)
const inBand = (resource) => listed(env.rdfine.hydra.Resource(resource.pointer).operation)

/** What an operation or a request came to. */
function outcome({ response, representation }) {
  const root = representation?.root
  return {
    status: response.xhr.status,
    address: response.resourceUri,
    root: root ? { id: iri(root), types: types(root), name: root.pointer.out(name).value ?? null } : null,
  }
}

function problem({ response, representation: { root } }) {
  const { title, description, statusCode } = root
  const violations = root.pointer.out(registry.violations)
  return {
    status: response.xhr.status,
    contentType: response.xhr.headers.get('Content-Type'),
    types: types(root),
    title: title ?? null,
    description: description ?? null,
    statusCode: statusCode ?? null,
    violations: violations.map((violation) => violation.out(registry.propertyPath).value).sort(),
  }
}

const load = (url, headers) => env.hydra.loadResource(url, headers)

// The entry point, by its documented links and by the collections that it holds
const entrypoint = (await load(`${base}/api`)).representation.root
const links = Object.fromEntries(
  entrypoint.getLinks().map(({ supportedProperty, resources }) => [supportedProperty.title, resources.map(iri)]),
)
const collectionsOf = (type) => env.rdfine.hydra.Resource(entrypoint.pointer).getCollections({ object: type })
const [link] = collectionsOf(registry.Instance)

// The collection, its pages and its search
const collection = (await link.load()).representation.root

function matching(wanted) {
  const values = env.clownface().blankNode()
  for (const [property, value] of wanted) values.addOut(property, value)
  return collection.search.expand(values)
}

async function pages(first) {
  const found = []
  for (let next = first; next && found.length < 10; ) {
    const page = (await load(next)).representation.root
    const [view] = page.view
    found.push({
      collection: iri(page),
      totalItems: page.totalItems ?? null,
      members: page.member.map((member) => member.pointer.out(name).value ?? null),
      view: iri(view),
      first: iri(view.first),
      previous: iri(view.previous),
      next: iri(view.next),
      last: iri(view.last),
    })
    next = iri(view.next)
  }
  return found
}

const byNumber = await pages(matching([[hydra.limit, '4'], [hydra.pageIndex, '1']]))
const byCursor = await pages(matching([[hydra.limit, '4']]))
const search = await pages(matching([[registry.handle, 'eu']]))

// An instance, from its first sight to its end
const [create] = collection.findOperations({ byMethod: 'POST' })
const [input] = create.expects
const [organization] = collection.member[0].pointer.out(registry.organization).values
const content = (members) => JSON.stringify({ organization, ...members })
const LD_JSON = { 'Content-Type': 'application/ld+json' }
const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' }
const proposed = content({ name: 'Made by a client', handle: 'made-by-a-client' })

const creation = await create.invoke(proposed, LD_JSON)
const instance = creation.representation.root
const [rename] = instance.findOperations({ byMethod: 'PATCH' })
const [remove] = instance.findOperations({ byMethod: 'DELETE' })

const problems = {
  'not-authenticated': problem(await load(link.id, { Authorization: 'Bearer not-a-token' })),
  'not-found': problem(await load(`${base}/api/instances/nowhere`)),
  'handle-taken': problem(await create.invoke(proposed, LD_JSON)),
  'invalid-content': problem(await create.invoke(content({ name: 7, handle: 'Capitals' }), LD_JSON)),
}

const before = await load(instance.id)
const tag = before.response.xhr.headers.get('ETag')
const unchanged = await load(instance.id)
const renaming = await rename.invoke(JSON.stringify({ name: 'Renamed by a client' }), { ...MERGE_PATCH, 'If-Match': tag })
problems['precondition-failed'] = problem(
  await rename.invoke(JSON.stringify({ name: 'Too late' }), { ...MERGE_PATCH, 'If-Match': tag }),
)
const after = await load(instance.id)
const removal = await remove.invoke()
const gone = await load(instance.id)
problems.gone = problem(gone)

print({
  documentation: {
    id: iri(entrypoint.apiDocumentation),
    title: entrypoint.apiDocumentation.title,
    entrypoint: iri(entrypoint.apiDocumentation.entrypoint),
    classes: entrypoint.apiDocumentation.supportedClass.map(iri),
  },
  entrypoint: {
    id: iri(entrypoint),
    types: types(entrypoint),
    documented: documented(entrypoint),
    inBand: inBand(entrypoint),
    links,
    collections: {
      organizations: collectionsOf(registry.Organization).map(iri),
      instances: collectionsOf(registry.Instance).map(iri),
    },
  },
  collection: {
    id: iri(collection),
    types: types(collection),
    documentedForLink: documented(link),
    documented: documented(collection),
    inBand: inBand(collection),
    input: input.supportedProperty
      .filter(({ writable }) => writable)
      .map(({ title, required }) => ({ title, required })),
  },
  pages: { byNumber, byCursor, search },
  member: { types: types(collection.member[0]), documented: documented(collection.member[0]) },
  instance: {
    documented: documented(instance),
    inBand: inBand(instance),
    created: outcome(creation),
    loaded: outcome(before),
    unchanged: unchanged === before,
    renamed: outcome(renaming),
    reloaded: outcome(after),
    removed: outcome(removal),
    formerTypes: gone.representation.ofType(as.Tombstone).map((tombstone) => tombstone.pointer.out(as.formerType).value),
  },
  problems,
  requests,
})
