// What can be done here: a form for each operation, made of what it expects, and what comes of sending it.

import { fresh, h, sentence } from './dom.js'
import { constraintsOf, objection } from './documentation.js'
import { conflict } from './conflict.js'
import { expand } from './json_ld.js'
import { ask, toLocal } from './http.js'
import { again, go } from './navigation.js'
import { forget } from './names.js'
import { field, read, refuse, settle } from './fields.js'
import { problemPanel } from './problem.js'
import { hydra, LD_JSON } from './terms.js'

const MERGE_PATCH = 'application/merge-patch+json'

/** A button for each operation, which opens its form below. */
export function operations(node, page) {
  const offered = node.nodes(hydra('operation')).filter((it) => it.text(hydra('method')) !== 'GET')
  if (!offered.length) return undefined
  const place = h('div', { class: 'opened' })
  const buttons = offered.map((operation) => opener(operation, node, page, place))
  return h('section', { class: 'actions', 'aria-label': 'What you can do here' }, h('div', { class: 'buttons' }, buttons), place)
}

function opener(operation, node, page, place) {
  const method = operation.text(hydra('method'))
  const title = operation.text(hydra('title')) ?? method
  const id = fresh('panel')
  const button = h('button', { type: 'button', class: method === 'DELETE' ? 'plain danger' : 'plain', 'aria-expanded': 'false', 'aria-controls': id, click: async () => {
    const open = button.getAttribute('aria-expanded') === 'true'
    for (const other of button.parentElement.children) other.setAttribute('aria-expanded', 'false')
    place.replaceChildren()
    if (open) return
    button.setAttribute('aria-expanded', 'true')
    const panel = await form({ operation, method, title, node, page, id, close: () => { button.click(); button.focus() } })
    if (button.getAttribute('aria-expanded') !== 'true') return
    place.replaceChildren(panel)
    panel.querySelector('input, select, textarea, button')?.focus()
  } }, title)
  return button
}

async function form(task) {
  const { operation, method, title, node, page, id, close } = task
  const class_ = operation.link(hydra('expects'))
  const constraints = await constraintsOf(class_)
  const writable = class_ ? page.documentation.propertiesOf(class_).filter((it) => it.writable) : []
  const changes = method === 'PATCH' || method === 'PUT'
  task.fields = writable.map((it) => field(it, constraints.properties.get(it.iri), node, page, { filled: changes }))
  task.alternatives = constraints.alternatives
  const about = page.documentation.operations.get(operation.id)?.description ?? operation.text(hydra('description'))
  const needed = task.fields.filter((it) => it.required || constraints.alternatives.includes(it.iri))
  const others = task.fields.filter((it) => !needed.includes(it))
  task.told = h('div', { class: 'told' })
  return h('form', { id, class: 'panel form', novalidate: true, 'aria-label': title, submit: (event) => { event.preventDefault(); send(task) } },
    h('h2', {}, title), about && h('p', { class: 'muted' }, about), task.told,
    method === 'DELETE' && h('p', {}, 'This cannot be taken back. Do you want to go on?'),
    needed.length ? [needed.map((it) => it.element), others.length > 0 && h('details', { class: 'optional' }, h('summary', {}, 'Optional'), others.map((it) => it.element))]
      : others.map((it) => it.element),
    h('p', { class: 'buttons' }, h('button', { type: 'submit', class: method === 'DELETE' ? 'primary danger' : 'primary' }, method === 'DELETE' ? `Yes, ${title[0].toLowerCase()}${title.slice(1)}` : title),
      h('button', { type: 'button', class: 'plain', click: close }, 'Cancel')))
}

/** Nothing is sent that cannot be; what is told is told at the field that it concerns. */
async function send(task) {
  const { fields, method, node, page } = task
  settle(task)
  const refused = fields.map((it) => [it, why(it)]).filter(([, reason]) => reason)
  const missing = task.alternatives.length && !fields.some((it) => task.alternatives.includes(it.iri) && it.value())
  if (missing) refused.push([fields.find((it) => task.alternatives.includes(it.iri)), `Fill in ${fields.filter((it) => task.alternatives.includes(it.iri)).map((it) => it.label).join(' or ')}.`])
  if (refused.length) return refuse(task, refused.map(([it, reason]) => ({ field: it, message: reason })))
  const content = read(fields, method)
  if (method === 'PATCH' && !Object.keys(content).length) return refuse(task, [{ message: 'Nothing has been changed.' }])
  return submit(task, content, page.answer.etag, node)
}

function why(it) {
  const value = it.value()
  if (!value) return it.required ? 'This is needed.' : undefined
  return it.constraints && objection(value, it.constraints)
}

/** With the entity tag of what is shown, so that nobody's change is written over unseen. */
async function submit(task, content, etag, node) {
  const { method, page } = task
  const fields = {}
  let body
  if (method !== 'DELETE') {
    fields['Content-Type'] = method === 'PATCH' ? MERGE_PATCH : LD_JSON
    body = JSON.stringify(method === 'PATCH' ? content : { '@context': page.answer.json['@context'], ...content })
  }
  if (method !== 'POST' && etag) fields['If-Match'] = etag
  const button = task.told.closest('form').querySelector('[type=submit]')
  button.disabled = true
  const answer = await ask(node.id, { method, fields, body }).catch((error) => ({ failed: error }))
  button.disabled = false
  if (answer.failed) return refuse(task, [{ message: 'The service could not be reached. Nothing is known of what it did; look before you try again.' }])
  if (answer.ok) return done(task, answer)
  if (answer.status === 412) return conflict(task, content, (fresh_) => submit(task, content, fresh_, node))
  return problemPanel(task, answer)
}

async function done(task, answer) {
  forget()
  const said = `${task.title}: done.`
  const made = answer.json && answer.type === LD_JSON ? (await expand(answer.json, answer.address)).root.id : undefined
  const here = location.href.split('#')[0]
  const ways = [answer.status === 201 && answer.location && new URL(answer.location, answer.address).href, made, task.method !== 'DELETE' && here, ...above(task.page)]
  for (const way of ways.filter(Boolean).map(toLocal)) {
    const found = await ask(way, { method: 'HEAD' }).catch(() => undefined)
    if (found?.ok) return way.split(/[?#]/)[0] === here.split('?')[0] ? again({ said }) : go(way, { said })
  }
  return again({ said })
}

/** Where to go from what is not there any more, or not for who has just given it away. */
function above(page) {
  const { collection = [], up = [] } = page.answer.links
  return [...collection, ...up, ...[...document.querySelectorAll('.trail a')].map((it) => it.href).reverse()]
}
