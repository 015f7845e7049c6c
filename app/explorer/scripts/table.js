// Things of one kind as a table: a column for each thing that is said of them and that a link does not say already.

import { titleOf } from './documentation.js'
import { fresh, grid, h, sentence } from './dom.js'
import { term, tip } from './tips.js'
import { drawn, isRepeated, link } from './values.js'
import { hydra, inWords, MACHINERY, NAMES, rdf } from './terms.js'

const MOST_COLUMNS = 8

/** `sorting` gives, for a property, the direction that it is sorted in and the address that sorts by it. */
export function table(nodes, page, { label, sorting = () => undefined } = {}) {
  const columns = columnsOf(nodes, page)
  const shown = columns.length && arePartsWithoutNames(nodes) ? columns.slice(0, MOST_COLUMNS) : [first(columns) ?? { label: 'Name' }, ...rest(columns)]
  const cells = (node) => shown.map((it) => (it === first(columns) || !it.iri ? link(node.id, page.nameOf(node)) : cell(node, it.iri, page)))
  return grid(label, shown.map((it) => h('th', { scope: 'col', ...sorted(sorting(it.iri)) }, header(it, sorting))), nodes.map(cells))
}

/** Of which each is told by what is said of it, and by nothing else. */
const arePartsWithoutNames = (nodes) => nodes.every((it) => it.id?.includes('#') && !titleOf(it))

const isName = (column) => NAMES.includes(column.iri)
const first = (columns) => columns.find(isName)
const rest = (columns) => columns.filter((it) => it !== first(columns)).slice(0, MOST_COLUMNS - 1)

function columnsOf(nodes, page) {
  const found = new Map()
  for (const node of nodes) {
    for (const { property, key, values } of node.said.values()) {
      if (found.has(property) || MACHINERY.has(property) || property === rdf('type')) continue
      const known = page.documentation.property(property, node.types)
      if (known.leadsToMany || !values.length || values.every((it) => isRepeated(it, node))) continue
      found.set(property, { ...known, iri: property, key })
    }
  }
  const order = nodes.flatMap((it) => it.types).flatMap((it) => page.documentation.propertiesOf(it)).map((it) => it.iri)
  const place = (it) => (order.includes(it.iri) ? order.indexOf(it.iri) : order.length)
  return [...found.values()].sort((one, other) => place(one) - place(other))
}

function header(column, sorting) {
  const found = sorting(column.iri)
  if (!found) return column.iri ? term(column) : sentence(column.label)
  const id = fresh('tip')
  const mark = { ascending: '↑', descending: '↓' }[found.direction] ?? '↕'
  return h('span', { class: 'tipped' }, h('a', { class: 'sort', href: found.address, 'aria-describedby': id },
    sentence(column.label), h('span', { class: 'mark', 'aria-hidden': 'true' }, mark)), tip(id, column))
}

const sorted = (found) => (found?.direction ? { 'aria-sort': found.direction } : {})

function cell(node, property, page) {
  const values = node.values(property)
  const nodes = values.filter((it) => it.node && !it.node.isEmpty)
  if (nodes.length > 1 || nodes.some((it) => !it.node.types.length)) return `${nodes.length} in all`
  if (nodes.length === 1 && nodes[0].node.id?.includes('#')) return summary(nodes[0].node, page)
  return values.map((it, n) => [n > 0 && ', ', drawn(it, page, { short: true })])
}

/** A part of the thing itself, which has no page of its own. */
function summary(node, page) {
  return [...node.said.values()].filter((it) => it.property !== hydra('operation')).map((it) => it.values.map((value) => value.text ?? inWords(value.id ?? '')).join(', ')).filter(Boolean).join(' → ')
    || page.nameOf(node)
}
