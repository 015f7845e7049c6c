// node jsonld.mjs BASE TOKEN URL...: each document as canonical N-Quads (RDFC-1.0), by URL. In safe mode it
// is an error if anything of a document would be lost on the way to RDF. The token goes with the documents,
// not with the contexts that they name.

import { authorization, base, print, rest as urls } from './service.mjs'
import jsonld from 'jsonld'

const TYPES = ['application/ld+json', 'application/problem+json']
const NQUADS = 'application/n-quads'

async function documentLoader(url) {
  const headers = { Accept: TYPES[0], ...(urls.includes(url) ? authorization : {}) }
  const response = await fetch(url, { headers })
  const type = response.headers.get('Content-Type')
  if (!TYPES.includes(type)) throw new Error(`${url} is ${response.status} ${type}, which is not JSON-LD.`)
  return { contextUrl: null, document: await response.json(), documentUrl: response.url }
}

if (!urls.length) throw new Error(`Name at least one URL of ${base}.`)
const found = {}
for (const url of urls) {
  const quads = await jsonld.toRDF(url, { documentLoader, format: NQUADS, safe: true })
  const options = { algorithm: 'RDFC-1.0', inputFormat: NQUADS, format: NQUADS, safe: true }
  found[url] = await jsonld.canonize(quads, options)
}
print(found)
