// A collection: how much there is, a form to search in it, a page of it as a table, and the ways to other pages.

import { fresh, h } from './dom.js'
import { table } from './table.js'
import { expanded, given, templateForm, variables } from './templates.js'
import { toIri, toLocal } from './http.js'
import { hydra } from './terms.js'

const PAGES = [['first', 'First'], ['previous', 'Previous'], ['next', 'Next'], ['last', 'Last']]

export function collection(node, page) {
  const members = node.nodes(hydra('member')).concat(node.values(hydra('member')).filter((it) => it.id && !it.node).map((it) => page.thing(it.id)))
  const total = node.text(hydra('totalItems'))
  const search = node.node(hydra('search'))
  const view = node.node(hydra('view'))
  const heading = fresh('members')
  return [
    search && searchForm(search, page),
    h('section', { 'aria-labelledby': heading },
      h('h2', { id: heading, class: 'count' }, counted(members.length, total, view)),
      members.length > 0 ? table(members, page, { label: 'Members', sorting: sortings(search, page) }) : h('p', { class: 'muted' }, 'There is nothing here, or nothing that fits.'),
      view && pages(view)),
  ]
}

function counted(shown, total, view) {
  if (total === undefined && view && ['previous', 'next'].some((it) => view.link(hydra(it)))) return `${shown} on this page`
  if (total === undefined || Number(total) === shown) return shown === 1 ? '1 entry' : `${shown} entries`
  return `${shown} of ${Number(total).toLocaleString('en')} entries`
}

function searchForm(search, page) {
  const current = given(location.href)
  const used = Object.keys(current).some((name) => variables(search).some((it) => it.name === name && !it.pages))
  return h('details', { class: 'panel', open: used }, h('summary', {}, 'Search and order'), templateForm(search, page, { legend: 'Search this collection', current: used ? current : {} }))
}

function pages(view) {
  const links = PAGES.map(([name, label]) => {
    const target = view.link(hydra(name))
    return h('li', {}, target ? h('a', { href: toLocal(target), rel: name === 'previous' ? 'prev' : name }, label) : h('span', { 'aria-hidden': 'true' }, label))
  })
  return PAGES.some(([name]) => name !== 'first' && view.link(hydra(name))) && h('nav', { class: 'pages', 'aria-label': 'Pages' }, h('ul', {}, links))
}

/** Pointed at once more, a column is sorted the other way round. */
function sortings(search, page) {
  if (!search) return () => undefined
  const sorting = variables(search).filter((it) => it.sorts)
  const current = given(location.href)
  const template = search.text(hydra('template'))
  return (property) => {
    const own = sorting.filter((it) => it.property === property)
    if (!own.length) return undefined
    const active = own.find((it) => current[it.name])
    const direction = active && (current[active.name].toLowerCase() === 'desc' ? 'descending' : 'ascending')
    const kept = Object.fromEntries(variables(search).filter((it) => !it.sorts && !it.pages && current[it.name]).map((it) => [it.name, current[it.name]]))
    const values = { ...kept, [(active ?? own[0]).name]: direction === 'ascending' ? 'desc' : 'asc' }
    return { direction, address: toLocal(new URL(expanded(template, values), toIri(location.href)).href) }
  }
}
