// The documentation itself: what there is, with what can be said of it and done with it.

import { grid, h, sentence } from './dom.js'
import { described } from './documentation.js'
import { term } from './tips.js'

export function overview(root, page) {
  return [described(root) && h('p', { class: 'lead' }, described(root)), h('h2', {}, 'Classes'),
    h('div', { class: 'things' }, [...page.documentation.classes.values()].map((it) => class_(it, page)))]
}

function class_(found, page) {
  return h('details', { id: found.iri.includes('#') ? found.iri.split('#')[1] : undefined }, h('summary', {}, found.title), found.description && h('p', {}, found.description),
    found.properties.length > 0 && properties(found, page), found.operations.length > 0 && methods(found))
}

function properties(found, page) {
  const flags = (it) => [it.required && 'needed', it.writable && 'can be written', it.isLink && (it.leadsToMany ? 'leads to many' : 'leads to one')].filter(Boolean).join(', ')
  const kinds = (it) => it.ranges.map((range) => page.documentation.classes.get(range)?.title ?? range.split(/[#/]/).pop()).join(' or ')
  return grid(`Properties of ${found.title}`, ['Property', 'Meaning', 'Values', 'Rules'],
    found.properties.map((it) => [term(it), it.description ?? '', kinds(it), flags(it)]))
}

function methods(found) {
  return h('ul', { class: 'methods' }, found.operations.map((it) => h('li', {}, h('span', { class: 'method' }, it.method), ' ', sentence(it.title), it.description && h('span', { class: 'muted' }, ` ${it.description}`))))
}
