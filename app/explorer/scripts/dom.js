// Elements, made one by one: whatever a value brings along is text.

import { decoded } from './terms.js'

const SVG = 'http://www.w3.org/2000/svg'
const LETTERS = 24

/** An element; attributes that are functions listen to events, `undefined`, `null` and `false` are left out. */
export function h(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children)
}

export function svg(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children)
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (name === 'href') lead(element, value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value)
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false))
  return element
}

/** Only to where following can do nothing else than lead; without telling others where one came from. */
function lead(element, href) {
  if (!/^(https?:|mailto:|\/|#)/i.test(href ?? '') || !URL.canParse(href, location.href)) return
  element.setAttribute('href', href)
  if (new URL(href, location.href).origin !== location.origin) element.setAttribute('rel', 'noopener noreferrer')
}

let last = 0

/** An id that nothing else on the page has. */
export function fresh(name) {
  last += 1
  return `${name}-${last}`
}

/** Said to whoever does not see what has changed. */
export function announce(text) {
  const place = document.getElementById('announcements')
  place.textContent = ''
  setTimeout(() => { place.textContent = text }, 50)
}

/** Said to everybody, above whatever is shown now or next, until it is sent away. */
export function tell(text) {
  const place = h('aside', { class: 'late', 'aria-label': 'Said since' }, h('p', {}, text),
    h('button', { type: 'button', class: 'plain', click: () => place.remove() }, 'Close'))
  document.getElementById('main').before(place)
  announce(text)
}

/** Brings what a fragment names into view, opened; whether there is such a thing. */
export function reveal(address) {
  const place = document.getElementById(decoded(new URL(address).hash.slice(1)))
  for (let it = place?.closest('details'); it; it = it.parentElement.closest('details')) it.open = true
  place?.scrollIntoView()
  return Boolean(place)
}

/** A table that can be moved sideways where it is wider than the screen; each row begins with its head. */
export function grid(label, heads, rows) {
  const columns = heads.map((it) => (it.localName === 'th' ? it : h('th', { scope: 'col' }, it)))
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, h('tr', {}, columns)), h('tbody', {}, rows.map(([first, ...others]) =>
      h('tr', {}, h('th', { scope: 'row' }, first), others.map((it) => h('td', {}, it)))))))
}

/** As a heading or a field takes it. */
export function sentence(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : ''
}

/** As much of a text as fits into a box of a picture. */
export function fitting(text) {
  return [...text].length > LETTERS ? `${[...text].slice(0, LETTERS - 1).join('')}…` : text
}
