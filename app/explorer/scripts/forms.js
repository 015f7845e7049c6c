// What can be done here: a form for each operation, made of what it expects, and what comes of sending it.

import { fresh, h } from './dom.js'
import { constraintsOf, operationOf } from './documentation.js'
import { published } from './published.js'
import { field } from './fields.js'
import { send } from './sending.js'
import { hydra } from './terms.js'

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A button for each operation, which opens its form below. What a thing says of itself is what may be done with
 *  it; what the documentation says of its kind counts where the API never says such a thing in its data. */
export async function operations(node, page) {
  const said = node.nodes(hydra('operation')).map((it) => {
    const own = operationOf(it), known = page.documentation.operations.get(own.iri)
    return { ...known, ...own, description: known?.description ?? own.description, isConditional: (known ?? own).isConditional }
  })
  const offered = (page.saysOperations ? said : await documented(node, page)).filter((it) => it.method && !READING.has(it.method))
  if (!offered.length) return undefined
  const place = h('div', { class: 'opened' })
  const buttons = offered.map((operation) => opener(operation, node, page, place))
  return h('section', { class: 'actions', 'aria-label': 'What you can do here' }, h('div', { class: 'buttons' }, buttons),
    !page.saysOperations && h('p', { class: 'hint' }, 'Said of all things of this kind: the service may refuse it for this one.'), place)
}

/** Of the kinds that it is of, or else of the link by which the beginning of the API leads here. */
async function documented(node, { documentation }) {
  const own = node.types.flatMap((it) => documentation.operationsOf(it))
  if (own.length || !documentation.entrypoint || node.id === documentation.entrypoint) return own
  const { root } = await published(documentation.entrypoint).catch(() => ({}))
  const ways = root ? [...root.said.values()].filter((it) => it.values.some((value) => value.id === node.id)) : []
  return ways.flatMap((it) => documentation.property(it.property, root.types).operations ?? [])
}

function opener(operation, node, page, place) {
  const { method } = operation
  const title = operation.title ?? method
  const id = fresh('panel')
  // What was written into a form is still there when another one was looked at, until it is given up.
  let panel
  const close = () => {
    panel = undefined
    button.click()
    button.focus()
  }
  const button = h('button', { type: 'button', class: method === 'DELETE' ? 'plain danger' : 'plain', 'aria-expanded': 'false', 'aria-controls': id, click: async () => {
    const open = button.getAttribute('aria-expanded') === 'true'
    for (const other of button.parentElement.children) other.setAttribute('aria-expanded', 'false')
    place.replaceChildren()
    if (open) return
    button.setAttribute('aria-expanded', 'true')
    panel ??= await form({ operation, method, title, node, page, id, close })
    if (button.getAttribute('aria-expanded') !== 'true') return
    place.replaceChildren(panel)
    // A key that is held must not say yes to what cannot be taken back.
    panel.querySelector(method === 'DELETE' ? 'button[type=button]' : 'input, select, textarea, button')?.focus()
  } }, title)
  return button
}

async function form(task) {
  const { operation, method, title, node, page, id, close } = task
  const class_ = operation.expects
  const constraints = await constraintsOf(class_)
  const writable = class_ ? page.documentation.propertiesOf(class_).filter((it) => it.writable) : []
  const changes = method === 'PATCH' || method === 'PUT'
  task.fields = writable.map((it) => field(it, constraints.properties.get(it.iri), node, page, { filled: changes }))
  task.alternatives = constraints.alternatives
  task.address = node.id ?? page.address
  const about = operation.description
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
