// One thing: what is said of it, what is inside it, and where it leads.

import { fresh, h, sentence } from './dom.js'
import { table } from './table.js'
import { templateForm } from './templates.js'
import { term, tip } from './tips.js'
import { drawn, isTemplate } from './values.js'
import { hydra, inWords, MACHINERY, rdf } from './terms.js'
import { toLocal } from './http.js'

/** Sections for all that the node says and that is not drawn elsewhere on the page. */
export function item(node, page, { heading = 'h2', within = false } = {}) {
  const said = [...node.said.values()].filter((it) => !MACHINERY.has(it.property) && it.property !== rdf('type'))
  const facts = [], ways = [], inside = [], forms = [], empty = []
  for (const statement of inOrder(said, node, page)) {
    const property = page.documentation.property(statement.property, node.types)
    const entry = { ...statement, property }
    if (!statement.values.length) empty.push(entry)
    else if (statement.values.some(isTemplate)) forms.push(entry)
    else if (statement.property === hydra('collection')) ways.push(...collections(statement, node, page))
    else if (property.leadsToMany && statement.values.every((it) => it.id && !it.node)) ways.push(entry)
    else if (statement.values.some((it) => it.node && !it.node.isEmpty && it.node !== node)) inside.push(entry)
    else if (isDoorway(node) && statement.values.every((it) => it.id && !it.node)) ways.push(entry)
    else facts.push(entry)
  }
  return [
    facts.length > 0 && factList([...facts, ...empty], page),
    !facts.length && empty.length > 0 && factList(empty, page),
    ways.length > 0 && waysOn(ways, page, heading),
    forms.map((it) => lookUp(it, page, heading)),
    inside.map((it) => embedded(it, page, heading, within)),
  ].flat().filter(Boolean)
}

function inOrder(said, node, page) {
  const order = page.documentation.classOf(node.types) ? node.types.flatMap((it) => page.documentation.propertiesOf(it)).map((it) => it.iri) : []
  const place = (it) => (order.indexOf(it.property) + order.length + 1) % (order.length + 1)
  return said.map((it, n) => [it, place(it), n]).sort((one, other) => one[1] - other[1] || one[2] - other[2]).map(([it]) => it)
}

/** What says nothing of itself and only leads on. */
export function isDoorway(node) {
  return [...node.said.values()].every((it) => MACHINERY.has(it.property) || it.values.every((value) => value.text === undefined))
}

function factList(entries, page) {
  return h('dl', { class: 'facts' }, entries.map(({ key, property, values }) => h('div', {},
    h('dt', {}, term({ ...property, key })),
    h('dd', {}, values.length === 0 ? h('span', { class: 'muted' }, 'none')
      : values.length === 1 ? drawn(values[0], page) : h('ul', {}, values.map((it) => h('li', {}, drawn(it, page))))))))
}

/** Collections that no other link of the thing leads to. */
export function collections(statement, node, page) {
  const linked = new Set([...node.said.values()].filter((it) => it.property !== statement.property).flatMap((it) => it.values.map((value) => value.id)))
  return statement.values.filter((it) => it.id && !linked.has(it.id)).map((it) => {
    const member = it.node?.node(hydra('memberAssertion'))?.link(hydra('object'))
    const of = page.documentation.classes.get(member)
    return { key: statement.key, values: [it], property: { label: inWords(it.id), description: of?.description } }
  })
}

function waysOn(entries, page, heading) {
  const id = fresh('ways')
  return h('section', { 'aria-labelledby': id }, h(heading, { id }, 'Leads to'), h('ul', { class: 'ways' }, entries.flatMap(({ key, property, values }) =>
    values.map((value) => {
      const about = fresh('tip')
      return h('li', { class: 'tipped' }, h('a', { href: toLocal(value.id), 'aria-describedby': about }, h('span', { class: 'label' }, sentence(property.label)),
        property.description && h('span', { class: 'about' }, property.description)), tip(about, { key, iri: value.id }))
    }))))
}

function lookUp({ property, values }, page, heading) {
  const id = fresh('lookup')
  return h('section', { 'aria-labelledby': id }, h(heading, { id }, sentence(property.label)), property.description && h('p', { class: 'muted' }, property.description),
    values.filter(isTemplate).map((it) => templateForm(it.node, page, { legend: sentence(property.label) })))
}

const MANY = 30

function embedded({ key, property, values }, page, heading, within) {
  const id = fresh('inside')
  const nodes = values.filter((it) => it.node).map((it) => it.node)
  const others = values.filter((it) => !it.node)
  const alike = nodes.every((it) => it.types.join() === nodes[0].types.join())
  const shown = nodes.slice(0, MANY)
  const body = within ? h('ul', {}, shown.map((it) => h('li', {}, drawn({ id: it.id, node: it }, page))))
    : alike ? table(shown, page, { label: `Table: ${property.label}` }) : list(shown, page)
  const rest = nodes.slice(MANY)
  const more = rest.length > 0 && h('button', { type: 'button', class: 'plain', click: (event) => {
    const following = alike ? table(rest, page, { label: `More of ${property.label}` }) : list(rest, page)
    event.currentTarget.replaceWith(following)
    following.focus()
  } }, `Show ${rest.length} more`)
  return h('section', { 'aria-labelledby': id }, h(heading, { id, class: 'with-term' }, term({ ...property, key })), body, more,
    others.length > 0 && h('ul', {}, others.map((it) => h('li', {}, drawn(it, page)))))
}

/** Things of several kinds, each to be opened. */
function list(nodes, page) {
  return h('div', { class: 'things', tabindex: -1 }, nodes.map((node) => {
    const anchor = node.id?.split('#')[1]
    const details = h('details', { id: anchor && !document.getElementById(anchor) ? anchor : undefined, toggle: () => {
      if (details.open && details.childElementCount === 1) details.append(...item(node, page, { heading: 'h3', within: true }))
    } }, h('summary', {}, page.nameOf(node), ' ', h('span', { class: 'muted' }, page.documentation.classOf(node.types)?.title ?? '')))
    return details
  }))
}
