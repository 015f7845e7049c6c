// What the service says of itself: the ApiDocumentation, and the shapes beside the terms that it names.

import { isOurs } from './http.js'
import { published } from './published.js'
import { API_DOCUMENTATION, hydra, inWords, NAMES, owl, rdfs, sh } from './terms.js'

const known = new Map()

export class Documentation {
  constructor(root) {
    this.title = root?.text(hydra('title')) ?? 'Explorer'
    this.entrypoint = root?.link(hydra('entrypoint'))
    this.classes = new Map()
    this.properties = new Map()
    this.operations = new Map()
    for (const node of root?.nodes(hydra('supportedClass')) ?? []) this.#learn(node)
  }

  /** Of the service that gave the answer; of none in particular where that names no documentation. */
  static async of(answer) {
    const iri = answer.links[API_DOCUMENTATION]?.[0]
    if (!iri || !isOurs(iri)) return new Documentation()
    if (!known.has(iri)) known.set(iri, published(iri).then(({ root }) => new Documentation(root)))
    return known.get(iri).catch(() => {
      known.delete(iri)
      return new Documentation()
    })
  }

  #learn(node) {
    const properties = node.nodes(hydra('supportedProperty')).map((it) => this.#supported(it))
    this.classes.set(node.id, {
      iri: node.id, properties,
      title: titleOf(node) ?? inWords(node.id), description: described(node),
      parents: node.ids(rdfs('subClassOf')), operations: this.#operations(node),
    })
  }

  #supported(node) {
    const property = node.node(hydra('property'))
    const iri = property?.id ?? node.link(hydra('property'))
    const flag = (...names) => names.some((name) => node.text(hydra(name)) === 'true')
    const found = {
      iri, supported: node.id, key: node.text(hydra('title')) ?? inWords(iri),
      label: property?.text(rdfs('label'))?.replaceAll('_', ' ') ?? inWords(node.text(hydra('title')) ?? iri),
      description: described(node) ?? (property && described(property)),
      required: node.said.has(hydra('required')) ? flag('required') : undefined, writable: flag('writable', 'writeable'),
      ranges: property?.ids(rdfs('range')) ?? [], isLink: property?.is(hydra('Link')) ?? false,
      leadsToMany: (property?.nodes(rdfs('range')) ?? []).some((it) => it.said.has(owl('equivalentClass')))
        || (property?.ids(rdfs('range')) ?? []).includes(hydra('Collection')),
      operations: [node, property].filter(Boolean).flatMap((it) => this.#operations(it)),
    }
    if (!this.properties.has(iri)) this.properties.set(iri, found)
    return found
  }

  #operations(node) {
    return node.nodes(hydra('supportedOperation')).map((it) => {
      const operation = operationOf(it)
      if (it.id) this.operations.set(it.id, operation)
      return operation
    })
  }

  /** Of the class and of those that it is a kind of. */
  propertiesOf(class_, seen = new Set()) {
    const known = this.classes.get(class_)
    if (!known || seen.has(class_)) return []
    seen.add(class_)
    return [...known.properties, ...known.parents.flatMap((it) => this.propertiesOf(it, seen))]
  }

  /** Of the class and of those that it is a kind of. */
  operationsOf(class_, seen = new Set()) {
    const known = this.classes.get(class_)
    if (!known || seen.has(class_)) return []
    seen.add(class_)
    return [...known.operations, ...known.parents.flatMap((it) => this.operationsOf(it, seen))]
  }

  /** What a property is called and means, for a thing of these types. */
  property(iri, types = []) {
    for (const type of types) {
      const found = this.propertiesOf(type).find((it) => it.iri === iri)
      if (found) return found
    }
    return this.properties.get(iri) ?? { iri, label: inWords(iri.replace(/^\^/, '')), ranges: [] }
  }

  /** By its IRI: a class, a property or an operation. */
  called(iri) {
    return this.classes.get(iri)?.title ?? this.properties.get(iri)?.label ?? this.operations.get(iri)?.title
  }

  /** The most telling of the types: the first that is documented. */
  classOf(types) {
    const known = types.map((it) => this.classes.get(it)).filter(Boolean)
    return known[0] ?? (types.length ? { iri: types.at(-1), title: inWords(types.at(-1)), properties: [] } : undefined)
  }
}

/** Only what is said, so that one can be laid over another. */
export function operationOf(node) {
  const all = { iri: node.id, title: titleOf(node), description: described(node), method: node.text(hydra('method')), expects: node.link(hydra('expects')), isConditional: isConditional(node) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Whether it may depend on how the thing is. What makes something new is not to fail for what else there is. */
function isConditional(node) {
  const makes = node.nodes(hydra('possibleStatus')).some((it) => it.text(hydra('statusCode')) === '201')
  return (node.texts(hydra('expectsHeader')).includes('If-Match') && !makes) || undefined
}

export function titleOf(node) {
  return NAMES.map((it) => node.text(it)).find(Boolean)
}

export function described(node) {
  return node.text(hydra('description')) ?? node.text(rdfs('comment')) ?? node.text('http://purl.org/dc/terms/description')
}

/** What values of the properties of a class have to keep to, by the IRI of the property. Read where the IRI
 *  of the class leads; where that is elsewhere, or says nothing, only the documentation is known. */
export async function constraintsOf(class_) {
  const found = new Map()
  if (!class_ || !isOurs(class_)) return { properties: found, alternatives: [] }
  const { index } = await published(class_).catch(() => ({ index: new Map() }))
  const node = index.get(class_)
  const parts = [...(node?.ids(hydra('supportedProperty')) ?? []), ...(node?.ids(sh('property')) ?? [])]
  for (const part of new Set(parts)) {
    const path = index.get(part)?.link(sh('path'))
    if (path) found.set(path, gathered(index, part))
  }
  const alternatives = (node?.ids(sh('or')) ?? []).map((it) => index.get(it)?.link(sh('path'))).filter(Boolean)
  return { properties: found, alternatives }
}

/** The constraints of a shape, and of those that it refers to. */
function gathered(index, shape, into = { patterns: [], nots: [] }) {
  const node = index.get(shape)
  if (!node) return into
  const number = (name) => (node.text(sh(name)) === undefined ? undefined : Number(node.text(sh(name))))
  for (const name of ['minLength', 'maxLength', 'minCount', 'maxCount']) into[name] ??= number(name)
  into.datatype ??= node.link(sh('datatype'))
  into.message ??= node.text(sh('message'))
  if (node.text(sh('pattern'))) into.patterns.push(node.text(sh('pattern')))
  if (node.said.has(sh('in'))) into.choices ??= node.texts(sh('in'))
  for (const other of node.ids(sh('node'))) gathered(index, other, into)
  for (const other of node.ids(sh('not'))) into.nots.push(gathered(index, other))
  return into
}

/** Why a text cannot be the value, in words; nothing where it can. */
export function objection(text, constraints) {
  const length = [...text].length
  const { minLength, maxLength, patterns, choices, nots, message } = constraints
  if (minLength !== undefined && length < minLength) return `Write at least ${minLength} character${minLength === 1 ? '' : 's'}.`
  if (maxLength !== undefined && length > maxLength) return `Write at most ${maxLength} characters; these are ${length}.`
  if (choices && !choices.includes(text)) return `Choose one of ${choices.join(', ')}.`
  if (patterns.some((it) => !matches(it, text))) return message ?? `This has to match ${patterns.join(' and ')}.`
  for (const other of nots) if (applies(other, text)) return other.message ?? 'This is kept back: choose another one.'
  return undefined
}

function applies({ patterns, choices }, text) {
  if (!patterns.length && !choices) return false
  return patterns.every((it) => matches(it, text)) && (!choices || choices.includes(text))
}

function matches(pattern, text) {
  try { return new RegExp(pattern, 'u').test(text) } catch { return true }
}
