// node shacl.mjs BASE TOKEN ASKED: what rdf-validate-shacl says, by the published shapes, of `documents`, which
// are URLs, by URL; and of `contents`, which are N-Quads and the nodes in them, by the IRI of the shape that
// they are to have. Each result is the node, the property and the constraint component at fault.

import { authorization, base, print, rest } from './service.mjs'
import { Readable } from 'node:stream'
import formats from '@rdfjs/formats'
import env from '@zazuko/env'
import jsonld from 'jsonld'
import SHACLValidator from 'rdf-validate-shacl'

const TURTLE = 'text/turtle'
const NQUADS = 'application/n-quads'
const LD_JSON = 'application/ld+json'
const { sh } = env.ns

async function get(url, accept, headers = {}) {
  const response = await fetch(url, { headers: { Accept: accept, ...headers } })
  const type = response.headers.get('Content-Type')
  if (type !== accept) throw new Error(`${url} is ${response.status} ${type}, not ${accept}.`)
  return response
}

async function documentLoader(url) {
  const document = await (await get(url, LD_JSON)).json()
  return { contextUrl: null, document, documentUrl: url }
}

async function parsed(type, text) {
  const dataset = env.dataset()
  for await (const quad of formats.parsers.import(type, Readable.from([text]))) dataset.add(quad)
  return dataset
}

async function read(url) {
  const document = await (await get(url, LD_JSON, authorization)).json()
  return parsed(NQUADS, await jsonld.toRDF(document, { documentLoader, format: NQUADS, safe: true }))
}

function targeted(shapes, shape, nodes) {
  const found = env.dataset([...shapes].filter(({ predicate }) => !predicate.equals(sh.targetClass)))
  for (const node of nodes) found.add(env.quad(env.namedNode(shape), sh.targetNode, env.namedNode(node)))
  return found
}

async function results(shapes, data) {
  const report = await new SHACLValidator(shapes, { factory: env }).validate(data)
  const found = report.results.map(({ focusNode, path, sourceConstraintComponent }) => [
    focusNode.value,
    path?.value ?? null,
    sourceConstraintComponent.value.replace(sh().value, ''),
  ])
  if (report.conforms === Boolean(found.length)) throw new Error('A report contradicts itself.')
  return found.sort()
}

const asked = JSON.parse(rest[0])
const shapes = await parsed(TURTLE, await (await get(`${base}/shapes`, TURTLE)).text())
const found = { documents: {}, contents: {} }
for (const url of asked.documents) found.documents[url] = await results(shapes, await read(url))
for (const [shape, { nodes, quads }] of Object.entries(asked.contents)) {
  found.contents[shape] = await results(targeted(shapes, shape, nodes), await parsed(NQUADS, quads))
}
print(found)
