// IRI templates (RFC 6570, as far as Hydra's forms need it), and the forms that are made of them.

import { fresh, h, sentence } from './dom.js'
import { toIri, toLocal } from './http.js'
import { decoded, hydra, LIMIT, PAGING } from './terms.js'
import { go } from './navigation.js'

const ORDER = /^(?:order|sort)\[(.+)\]$/

/** The variables of a template: their names, what they stand for, and whether they are for sorting or paging. */
export function variables(template) {
  return template.nodes(hydra('mapping')).map((it) => {
    const name = it.text(hydra('variable'))
    const property = it.link(hydra('property')) ?? it.text(hydra('property'))
    return { name, property, required: it.text(hydra('required')) === 'true', sorts: ORDER.test(name), pages: PAGING.has(property), limits: property === LIMIT }
  })
}

/** The address that values make of a template; a name in it may be percent-encoded. */
export function expanded(template, values) {
  const known = (name) => values[decoded(name)]
  return template.replace(/\{([?&/#.;+]?)([^}]*)\}/g, (_, operator, names) => {
    const given = names.split(',').map((it) => it.replace(/[*]|:\d+$/g, '')).filter((it) => known(it) !== undefined && known(it) !== '')
    const query = operator === '?' || operator === '&'
    const parts = given.map((it) => (query ? `${it}=` : '') + encodeURIComponent(known(it)))
    if (!parts.length) return ''
    return query ? operator + parts.join('&') : (operator === '/' ? '/' : '') + parts.join(operator === '/' ? '/' : ',')
  })
}

/** The values that an address was made with. */
export function given(address) {
  return Object.fromEntries(new URL(toLocal(address)).searchParams)
}

/** A form for a template: one field for each variable that people fill in, and one for the order. */
export function templateForm(template, page, { legend, current = {} }) {
  const all = variables(template).filter((it) => !it.pages)
  const sorting = distinct(all.filter((it) => it.sorts))
  const fields = all.filter((it) => !it.sorts).map((it) => variableField(it, page, current))
  const order = sorting.length ? orderField(sorting, page, current) : undefined
  const send = (event) => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const values = {}
    for (const it of all) if (!it.sorts && data.get(it.name)) values[it.name] = data.get(it.name)
    const [name, direction] = (data.get(' order') ?? '').split(' ')
    if (name) values[name] = direction
    go(toLocal(new URL(expanded(template.text(hydra('template')), values), toIri(location.href)).href))
  }
  const reset = Object.keys(current).length > 0 && h('a', { class: 'quiet', href: location.pathname }, 'Clear')
  return h('form', { class: 'search', role: 'search', 'aria-label': legend, submit: send }, fields, order,
    h('p', { class: 'buttons' }, h('button', { class: 'plain', type: 'submit' }, all.some((it) => it.required) ? 'Look up' : 'Search'), reset))
}

function distinct(sorting) {
  const seen = new Set()
  return sorting.filter((it) => !seen.has(it.property) && seen.add(it.property))
}

function variableField(variable, page, current) {
  const id = fresh('field')
  const label = variable.limits ? 'Entries on a page' : sentence(page.documentation.property(variable.property).label)
  const kind = variable.limits ? { type: 'number', min: 1 } : { type: 'search' }
  return h('p', { class: variable.limits ? 'field short' : 'field' }, h('label', { for: id }, label),
    h('input', { id, name: variable.name, ...kind, value: current[variable.name], required: variable.required, autocomplete: 'off', spellcheck: 'false' }))
}

function orderField(sorting, page, current) {
  const id = fresh('field')
  const options = sorting.flatMap(({ name, property }) => [['asc', 'ascending'], ['desc', 'descending']].map(([value, words]) =>
    h('option', { value: `${name} ${value}`, selected: current[name]?.toLowerCase() === value },
      `${sentence(page.documentation.property(property).label)}, ${words}`)))
  return h('p', { class: 'field' }, h('label', { for: id }, 'Order'), h('select', { id, name: ' order' }, h('option', { value: '' }, 'As it comes'), options))
}
