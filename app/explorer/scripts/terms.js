// What the explorer knows by heart: words of standards, and none of the service's own.

const HYDRA = 'http://www.w3.org/ns/hydra/core#'
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#'
const OWL = 'http://www.w3.org/2002/07/owl#'
const SH = 'http://www.w3.org/ns/shacl#'
const XSD = 'http://www.w3.org/2001/XMLSchema#'

export const hydra = (name) => HYDRA + name
export const rdf = (name) => RDF + name
export const rdfs = (name) => RDFS + name
export const owl = (name) => OWL + name
export const sh = (name) => SH + name
export const xsd = (name) => XSD + name

export const API_DOCUMENTATION = hydra('apiDocumentation')

/** By what a thing is called, the best first. */
export const NAMES = [
  'https://schema.org/name', 'http://schema.org/name', rdfs('label'), 'http://purl.org/dc/terms/title',
  'http://xmlns.com/foaf/0.1/name', 'http://www.w3.org/2004/02/skos/core#prefLabel', hydra('title'),
  'https://www.w3.org/ns/activitystreams#name', 'https://www.w3.org/ns/activitystreams#summary',
]

/** What is drawn otherwise than as a property of what is shown. */
export const MACHINERY = new Set([
  'operation', 'member', 'view', 'search', 'totalItems', 'memberAssertion', 'manages',
].map(hydra))

/** What stands for paging in a search form. */
export const PAGING = new Set(['pageIndex', 'pageReference', 'offset'].map(hydra))
export const LIMIT = hydra('limit')

/** What is an explanation rather than data: who publishes it may have a page of its own for it. */
export const EXPLANATIONS = new Set([owl('Ontology'), hydra('Status')])

export const LD_JSON = 'application/ld+json'
export const SYNTAXES = [
  ['JSON-LD', LD_JSON], ['JSON', 'application/json'], ['Turtle', 'text/turtle'], ['N-Triples', 'application/n-triples'],
  ['N-Quads', 'application/n-quads'], ['TriG', 'application/trig'], ['RDF/XML', 'application/rdf+xml'],
]

/** Without percent-encoding; as it is where that is none. */
export function decoded(text) {
  try { return decodeURIComponent(text) } catch { return text }
}

/** The last part of an IRI, in words. */
export function inWords(iri) {
  const name = iri.replace(/[#/]+$/, '').split(/[#/]/).pop()
  return decoded(name).replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`)
}
