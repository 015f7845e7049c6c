// The neighbourhood: what is shown in the middle, what it belongs to on its left, where it leads on its right.

import { h, svg, fresh, sentence } from './dom.js'
import { isOurs, toLocal } from './http.js'
import { collections, isDoorway } from './item.js'
import { fitted, isTemplate } from './values.js'
import { hydra, inWords, MACHINERY, rdf } from './terms.js'

const WIDTH = 220, HEIGHT = 56, GAP = 16, BETWEEN = 110, MOST = 10

export function neighbourhood(node, page) {
  const right = leads(node, page)
  const left = above(node, page)
  if (!right.length && !left.length) return undefined
  const shown = right.slice(0, MOST)
  const id = fresh('graph')
  return h('section', { class: 'neighbourhood', 'aria-labelledby': id }, h('h2', { id }, 'Neighbourhood'),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Picture of the neighbourhood' }, picture(page.nameOf(node), left, shown)),
    right.length > shown.length && h('p', { class: 'muted' }, `Not drawn: ${right.length - shown.length} more.`))
}

/** Where there is less room than the picture takes, what it is about is seen first. */
export function toMiddle(place) {
  const here = place.querySelector('.here').getBoundingClientRect()
  const room = place.getBoundingClientRect()
  place.scrollLeft += here.left + here.width / 2 - room.left - room.width / 2
}

/** Each link once, with the name that the vocabulary has for it. */
function leads(node, page) {
  const found = []
  const doorway = isDoorway(node)
  for (const { property, values } of node.said.values()) {
    if ((MACHINERY.has(property) && property !== hydra('member')) || property === rdf('type')) continue
    if (property === hydra('collection')) {
      for (const it of collections({ property, values }, node, page)) found.push({ iri: it.values[0].id, label: it.property.label, name: sentence(it.property.label) })
      continue
    }
    const label = property === hydra('member') ? 'member' : page.documentation.property(property, node.types).label
    const many = doorway || page.documentation.property(property, node.types).leadsToMany
    for (const value of values) {
      if (!value.id || isTemplate(value) || !isOurs(value.id) || value.id === node.id) continue
      found.push({ iri: value.id, label, name: page.known(value.id) ?? (many ? sentence(label) : undefined) })
    }
  }
  return found
}

function above(node, page) {
  const { collection = [], up = [] } = page.answer.links
  const named = [...collection.map((iri) => ({ iri, label: 'collection' })), ...up.map((iri) => ({ iri, label: 'up' }))]
  return named.filter((it) => isOurs(it.iri) && it.iri !== node.id).map((it) => ({ ...it, name: page.known(it.iri) }))
}

function picture(name, left, right) {
  const rows = Math.max(left.length, right.length, 1)
  const height = rows * (HEIGHT + GAP) + GAP
  const columns = [left.length ? WIDTH + BETWEEN : 0, WIDTH, right.length ? WIDTH + BETWEEN : 0]
  const width = columns.reduce((one, other) => one + other)
  const x = columns[0]
  const y = (count, n) => (height - count * (HEIGHT + GAP) + GAP) / 2 + n * (HEIGHT + GAP)
  const middle = height / 2
  const lines = [
    ...left.map((it, n) => line(WIDTH, y(left.length, n) + HEIGHT / 2, x, middle)),
    ...right.map((it, n) => line(x + WIDTH, middle, x + WIDTH + BETWEEN, y(right.length, n) + HEIGHT / 2)),
  ]
  return svg('svg', { class: 'graph', viewBox: `-2 -2 ${width + 4} ${height + 4}`, width: width + 4, height: height + 4, role: 'group', 'aria-label': 'What this belongs to, and where it leads' },
    lines, svg('g', { class: 'here', transform: `translate(${x} ${middle - HEIGHT / 2})` }, box(), text(name)),
    left.map((it, n) => neighbour(it, 0, y(left.length, n))),
    right.map((it, n) => neighbour(it, x + WIDTH + BETWEEN, y(right.length, n))))
}

function line(x1, y1, x2, y2) {
  const bend = (x2 - x1) / 2
  return svg('path', { class: 'way', d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}` })
}

const box = () => svg('rect', { width: WIDTH, height: HEIGHT, rx: 10 })

/** The name of the link, and of what it leads to: in the box, where no line passes. */
function text(name, way) {
  return [
    way && svg('text', { class: 'link', x: WIDTH / 2, y: HEIGHT / 2 - 7, 'text-anchor': 'middle' }, fitted(way)),
    svg('text', { class: 'label', x: WIDTH / 2, y: HEIGHT / 2 + (way ? 14 : 5), 'text-anchor': 'middle' }, fitted(name)),
  ]
}

function neighbour({ iri, name, label: way }, x, y) {
  const shown = name ?? `${inWords(iri.replace(/[#/][^#/]*\/?$/, ''))} … ${iri.slice(-6)}`
  return svg('a', { href: toLocal(iri), 'data-unnamed': name ? undefined : iri, transform: `translate(${x} ${y})` }, box(), text(shown, sentence(way) === shown ? undefined : sentence(way)))
}
