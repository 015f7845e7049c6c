// What things are called, and where they stand: asked once of each, and forgotten when something was changed, or
// after a while, for others change things too.

import { Documentation, titleOf } from './documentation.js'
import { sentence } from './dom.js'
import { expand } from './json_ld.js'
import { ask, isOurs, withoutFragment } from './http.js'
import { inWords } from './terms.js'

const MOST_STEPS = 8
const LASTS = 20_000  // milliseconds
const known = new Map()

export function forget() {
  known.clear()
}

function keep(address, found) {
  known.set(address, { found, until: Date.now() + LASTS })
  return found
}

function kept(address) {
  const { found, until } = known.get(address) ?? {}
  return until > Date.now() ? found : undefined
}

/** What a thing is called; its class where it has no name, or else the end of its address. */
export function nameOf(node, documentation) {
  return told(node, documentation) ?? (node.id ? sentence(inWords(node.id)) : '')
}

/** Only what is said of it. */
export function told(node, documentation) {
  return titleOf(node) ?? (sentence(node.types.map((it) => documentation.classes.get(it)?.title).find(Boolean)) || undefined)
}

export function remember(iri, { answer, root, index, documentation }) {
  keep(withoutFragment(iri), Promise.resolve({ name: nameOf(root, documentation), links: answer.links, index, documentation }))
}

/** The name and the links of what is at an address, or of a part of it; nothing where it cannot be read. */
export async function glance(iri) {
  const address = withoutFragment(iri)
  if (!isOurs(address)) return undefined
  const found = await (kept(address) ?? keep(address, look(address).catch(() => undefined)))
  const part = iri === address ? undefined : found?.index.get(iri)
  return part ? { ...found, name: told(part, found.documentation) } : found
}

async function look(address) {
  const answer = await ask(address)
  if (!answer.ok || !answer.json) return undefined
  const [{ root, index }, documentation] = await Promise.all([expand(answer.json, answer.address), Documentation.of(answer)])
  return { name: nameOf(root, documentation), links: answer.links, index, documentation }
}

/** From the beginning down to what these links belong to, by the relations `collection` and `up`. */
export async function trail(iri, links) {
  const steps = []
  const seen = new Set([withoutFragment(iri)])
  let above = links.collection?.[0] ?? links.up?.[0]
  while (above && !seen.has(withoutFragment(above)) && steps.length < MOST_STEPS) {
    seen.add(withoutFragment(above))
    const found = await glance(above)
    if (!found) break
    steps.unshift({ iri: above, name: found.name })
    above = found.links.collection?.[0] ?? found.links.up?.[0]
  }
  return steps
}

/** From where there is nothing, or nothing for who asks: the way back to where the API begins. */
export async function beginning({ entrypoint }) {
  const found = entrypoint && await glance(entrypoint)
  return found ? [{ iri: entrypoint, name: found.name }] : []
}
