// JSON-LD, as far as Hydra APIs use it: contexts with terms, prefixes, coercions, lists and reverse terms. Not
// scoped contexts, indexes or languages by container, which not all clients of such APIs read.

import { ask, isOurs, toIri } from './http.js'
import { rdf } from './terms.js'

const contexts = new Map()
const loading = new Map()

/** What is said of one thing: its IRI, its types, and statements by the IRI of the property. */
export class Node {
  constructor(id) {
    this.id = id
    this.types = []
    this.said = new Map()
  }

  values(property) { return this.said.get(property)?.values ?? [] }
  nodes(property) { return this.values(property).filter((it) => it.node).map((it) => it.node) }
  node(property) { return this.nodes(property)[0] }
  ids(property) { return this.values(property).map((it) => it.id ?? it.node?.id).filter(Boolean) }
  link(property) { return this.ids(property)[0] }
  texts(property) { return this.values(property).filter((it) => it.text !== undefined).map((it) => it.text) }
  text(property) { return this.texts(property)[0] }
  is(type) { return this.types.includes(type) }
  get isEmpty() { return this.said.size === 0 && this.types.length === 0 }
}

/** The node that a document is about, all that it tells of, by their IRIs, and the words that it may use. */
export async function expand(document, address) {
  const index = new Map()
  const base = toIri(address)
  await load(document, base)
  const context = extended({ terms: new Map() }, document['@context'], base)
  const words = new Set([...context.terms.values()].map((it) => it.iri))
  return { root: nodeOf(document, context, base, index), index, words }
}

/** Every context that is named. One of somebody else is not: the page speaks to its own service only. */
async function load(value, base) {
  if (value === null || typeof value !== 'object') return
  const named = [value['@context'] ?? []].flat().filter((it) => typeof it === 'string').map((it) => new URL(it, base).href)
  await Promise.all(named.filter(isOurs).map(async (iri) => {
    if (!loading.has(iri)) {
      loading.set(iri, ask(iri).then((answer) => {
        if (!answer.ok) throw new Error(`${iri} answered ${answer.status}`)
        contexts.set(iri, answer.json['@context'])
        return load(answer.json, iri)
      }))
      loading.get(iri).catch(() => loading.delete(iri))
    }
    await loading.get(iri)
  }))
  for (const [key, part] of Object.entries(value)) {
    if (key !== '@context' && part !== null && typeof part === 'object') await load(part, base)
  }
}

function nodeOf(object, context, base, index) {
  if ('@context' in object && context.source !== object['@context']) context = extended(context, object['@context'], base)
  let id, types = [], key
  for (key of Object.keys(object)) {
    const iri = resolved(key, context)
    if (iri === '@id') id = iriOf(object[key], context, base)
    if (iri === '@type') types = [object[key]].flat().map((it) => iriOf(it, context, base, true))
  }
  const node = (id && index.get(id)) ?? new Node(id)
  if (id) index.set(id, node)
  for (const type of types) if (!node.types.includes(type)) node.types.push(type)
  for (key of Object.keys(object)) say(node, key, object[key], context, base, index)
  return node
}

function say(node, key, value, context, base, index) {
  const term = context.terms.get(key)
  const property = term?.reverse ? `^${term.reverse}` : resolved(key, context)
  if (!property || property.startsWith('@') || !property.includes(':') || value === null) return
  const items = [value].flat().flatMap((it) => (it && typeof it === 'object' && '@list' in it ? it['@list'] : [it]))
  const values = []
  for (const item of items) if (item !== null) values.push(valueOf(item, term, context, base, index))
  const known = node.said.get(property)
  if (known) join(known.values, values)
  else node.said.set(property, { property, key, values })
  if (property === rdf('type')) node.types.push(...values.map((it) => it.id).filter(Boolean))
}

/** What is said twice is said once. */
function join(values, others) {
  const isSame = (one, other) => ['id', 'text', 'type', 'language'].every((it) => one[it] === other[it]) && (one.id ?? one.text) !== undefined
  for (const it of others) {
    const same = values.find((other) => isSame(it, other))
    if (same) same.node ??= it.node
    else values.push(it)
  }
}

function valueOf(item, term, context, base, index) {
  if (typeof item !== 'object') {
    if (typeof item === 'string' && term?.type === '@id') return { id: iriOf(item, context, base) }
    if (typeof item === 'string' && term?.type === '@vocab') return { id: iriOf(item, context, base, true) }
    return { text: String(item), type: term?.type, native: typeof item }
  }
  if ('@value' in item) {
    const type = item['@type'] && iriOf(item['@type'], context, base, true)
    return { text: String(item['@value']), type, native: typeof item['@value'], language: item['@language'] }
  }
  const node = nodeOf(item, context, base, index)
  return Object.keys(item).every((key) => key === '@id') ? { id: node.id, node: node.isEmpty ? undefined : node } : { id: node.id, node }
}

function extended(active, local, base) {
  for (const each of [local ?? []].flat()) {
    if (typeof each === 'string') active = extended(active, contexts.get(new URL(each, base).href), base)
    else active = defined(active, each)
  }
  return { ...active, source: local }
}

function defined(active, definitions) {
  const terms = new Map(active.terms)
  const vocabulary = '@vocab' in definitions ? definitions['@vocab'] ?? undefined : active.vocabulary
  const context = { terms, vocabulary }
  const entries = Object.entries(definitions).filter(([name]) => !name.startsWith('@'))
  for (const [name, definition] of entries) terms.set(name, { pending: definition })
  for (const [name] of entries) settle(name, context)
  return context
}

function settle(name, context) {
  const term = context.terms.get(name)
  if (!term || !('pending' in term)) return term
  const definition = term.pending
  if (definition === null) context.terms.set(name, {})
  else {
    context.terms.delete(name)  // a term that names itself names what its prefix or vocabulary says
    const { '@id': id = name, '@type': type, '@reverse': reverse } = typeof definition === 'string' ? { '@id': definition } : definition
    const made = { iri: id === null ? undefined : resolved(id, context), reverse: reverse && resolved(reverse, context) }
    made.type = type && resolved(type, context)
    context.terms.set(name, made)
  }
  return context.terms.get(name)
}

/** What a key, a type or a compact IRI stands for; as it is where it stands for nothing else. */
function resolved(name, context) {
  if (name.startsWith('@')) return name
  const term = settle(name, context)
  if (term) return term.iri
  const colon = name.indexOf(':')
  if (colon > 0) {
    const prefix = name.startsWith('//', colon + 1) ? undefined : settle(name.slice(0, colon), context)
    return prefix?.iri ? prefix.iri + name.slice(colon + 1) : name
  }
  return context.vocabulary !== undefined ? resolved(context.vocabulary, { terms: context.terms }) + name : name
}

function iriOf(text, context, base, byVocabulary = false) {
  if (typeof text !== 'string') return undefined
  if (text.startsWith('_:')) return text
  if (byVocabulary) {
    const iri = resolved(text, context)
    if (iri && (iri.includes(':') || iri.startsWith('@'))) return iri
  }
  const colon = text.indexOf(':')
  if (colon > 0 && !text.startsWith('//', colon + 1)) {
    const prefix = settle(text.slice(0, colon), context)
    if (prefix?.iri) return prefix.iri + text.slice(colon + 1)
  }
  try { return new URL(text, base).href } catch { return text }
}
