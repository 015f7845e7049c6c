// Values and links, as people read them.

import { fitting, h, svg } from './dom.js'
import { isOurs, toLocal } from './http.js'
import { glance } from './names.js'
import { hydra, inWords, xsd } from './terms.js'

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' })
const SHORT_DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

/** One value; `short` where there is little room. */
export function drawn(value, page, { short = false } = {}) {
  if (value.node && !value.node.isEmpty) return link(value.node.id, page.nameOf(value.node))
  if (value.id) return link(value.id, page.known(value.id), { named: true })
  if (value.type === xsd('dateTime')) return time(value.text, short)
  if (value.type === xsd('date')) return h('time', { datetime: value.text }, value.text)
  if (/^https?:\/\//.test(value.text) && value.type === xsd('anyURI')) return link(value.text)
  return h('span', { class: 'text', lang: value.language, dir: 'auto' }, value.text)
}

function time(text, short) {
  const moment = new Date(text)
  if (Number.isNaN(moment.getTime())) return h('span', {}, text)
  const shown = h('time', { datetime: text, title: text }, (short ? SHORT_DATE : DATE).format(moment))
  return short ? shown : h('span', {}, shown, ' ', h('span', { class: 'exact' }, text))
}

/** A link within the explorer, or out of it; only text where following it could do something else. What has
 *  no name yet gets it as soon as it is known. */
export function link(iri, name, { named = false } = {}) {
  if (!iri || iri.startsWith('_:')) return h('span', {}, name ?? '')
  if (!/^(https?|mailto):/i.test(iri)) return h('code', {}, iri)
  if (!isOurs(iri)) return h('a', { href: iri }, name ?? iri)
  const shown = h('a', { href: toLocal(iri) }, name ?? toldShortly(iri))
  if (!name && named) shown.dataset.unnamed = iri
  return shown
}

function toldShortly(iri) {
  const words = inWords(iri)
  const before = inWords(iri.replace(/[#/][^#/]*\/?$/, ''))
  return /\d/.test(words) && words.length > 12 ? `${before} … ${words.slice(-6)}` : words
}

/** Of a text in a picture: what fits into its box, and the whole for who points at it. */
export function fitted(text) {
  const short = fitting(text)
  return short === text ? [text] : [short, svg('title', {}, text)]
}

/** Looks up what links lead to, a few at a time and not without end. */
export async function nameLinks(root, most = 24) {
  const places = [...root.querySelectorAll('a[data-unnamed]')]
  const iris = [...new Set(places.map((it) => it.dataset.unnamed))].slice(0, most)
  await Promise.all(iris.map(async (iri) => {
    const found = await glance(iri)
    if (!found?.name) return
    for (const place of places.filter((it) => it.dataset.unnamed === iri)) {
      const label = place.querySelector('text.label')
      if (label) label.replaceChildren(...fitted(found.name))
      else place.textContent = found.name
      delete place.dataset.unnamed
    }
  }))
}

/** Whether another value of the same thing says it already: an identifier of what a link leads to, or its own. */
export function isRepeated(value, node) {
  if (value.text === undefined || value.text.length < 4) return false
  const ends = (iri) => iri?.replace(/\/$/, '').endsWith(`/${value.text}`)
  return ends(node.id) || [...node.said.values()].some((it) => it.values.some((other) => ends(other.id)))
}

export const isTemplate = (value) => value.node?.is(hydra('IriTemplate')) || value.node?.said.has(hydra('template'))
