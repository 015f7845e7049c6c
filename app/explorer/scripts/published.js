// Documents that do not change while somebody looks around: each is asked for once.

import { ask, withoutFragment } from './http.js'
import { expand } from './json_ld.js'

const asked = new Map()

/** What a document says, expanded; one that could not be read is asked for again the next time. */
export function published(iri) {
  const address = withoutFragment(iri)
  if (!asked.has(address)) {
    asked.set(address, read(address))
    asked.get(address).catch(() => asked.delete(address))
  }
  return asked.get(address)
}

async function read(address) {
  const answer = await ask(address)
  if (!answer.ok || !answer.json) throw new Error(`${address} answered ${answer.status}`)
  return expand(answer.json, answer.address)
}
