// The fields of a form, and what is said at them.

import { announce, fresh, h, sentence } from './dom.js'
import { objection } from './documentation.js'
import { hydra, xsd } from './terms.js'

/** A field for a property; `filled` with what the thing says now, where it is to be changed. */
export function field(property, constraints, node, page, { filled }) {
  const id = fresh('field'), hint = fresh('hint'), error = fresh('error')
  const held = filled ? node.values(property.iri).filter((it) => it.text !== undefined || it.id) : []
  const required = property.required ?? constraints?.minCount > 0  // a form may need less than what is kept has
  const shared = { id, name: property.key, 'aria-required': required ? 'true' : undefined, 'aria-describedby': `${hint} ${error}` }
  const input = inputFor(property, constraints, held.map(textOf), page, shared)
  const message = h('p', { class: 'error', id: error })
  const before = input.value
  const found = {
    iri: property.iri, key: property.key, label: property.label, required, constraints, input, message, held, property,
    now: held.map(textOf).join(', '), isMeant: false, isList: held.length > 1,
    get isTouched() { return found.isMeant || input.value !== before },
    get texts() { return (found.isList ? input.value.split('\n').map((it) => it.trim()) : [input.value]).filter(Boolean) },
    element: h('div', { class: 'field' },
      h('label', { for: id }, sentence(property.label), required && h('span', { class: 'needed' }, ' needed'), ' ', h('code', {}, property.key)),
      input, h('p', { class: 'hint', id: hint }, [property.description, limits(constraints), held.length > 1 && 'One on each line.'].filter(Boolean).join(' ')), message),
  }
  return found
}

const textOf = (value) => value.text ?? value.id

/** One that can hold all that is said now, so that nothing is lost which nobody touched. */
function inputFor(property, constraints, texts, page, shared) {
  const quiet = { ...shared, autocomplete: 'off', spellcheck: 'false' }
  if (texts.length > 1 || texts[0]?.includes('\n')) return h('textarea', { ...quiet, rows: 4 }, texts.join('\n'))
  const [now = ''] = texts
  const choices = choicesFor(property, constraints, page)
  if (choices.length) {
    if (now && !choices.some(([value]) => value === now)) choices.unshift([now, page.known(now) ?? now])
    return h('select', shared, h('option', { value: '' }, property.isLink ? 'Choose …' : ''), choices.map(([value, label]) => h('option', { value, selected: value === now }, label)))
  }
  const input = h('input', { ...quiet, ...kind(property, constraints), value: now })
  if (input.value === now) return input
  input.type = 'text'
  input.value = now
  return input
}

const typeOf = (property, constraints) => constraints?.datatype ?? property.ranges.find((it) => it.startsWith(xsd('')))

function choicesFor(property, constraints, page) {
  if (constraints?.choices) return constraints.choices.map((it) => [it, it])
  if (typeOf(property, constraints) === xsd('boolean')) return [['true', 'Yes'], ['false', 'No']]
  return property.isLink ? linkable(property, page) : []
}

/** What a browser takes for an e-mail address it writes in its own way: of these, it is told what keys to show. */
function kind(property, constraints) {
  if (property.iri.endsWith('/email')) return { type: 'text', inputmode: 'email', autocapitalize: 'off' }
  if (property.isLink) return { type: 'url' }
  return { type: { [xsd('integer')]: 'number', [xsd('date')]: 'date' }[typeOf(property, constraints)] ?? 'text' }
}

function limits(constraints) {
  if (!constraints || constraints.choices) return ''
  const { minLength, maxLength } = constraints
  if (maxLength !== undefined) return `${minLength ?? 0} to ${maxLength} characters.`
  return ''
}

/** What a link may lead to among that which is on the page. */
function linkable(property, page) {
  const found = new Map()
  for (const node of page.root.nodes(hydra('member'))) {
    if (node.id && node.types.some((it) => property.ranges.includes(it))) found.set(node.id, page.nameOf(node))
  }
  return [...found]
}

/** The content to send: of a change, only what was touched; what was emptied is taken away. */
export function contentOf(fields, method) {
  const content = {}
  for (const it of fields) {
    if (method === 'PATCH' ? !it.isTouched : !it.texts.length) continue
    const values = it.isTouched || !it.held.length ? it.texts.map((text) => typed(text, it)) : it.held.map(asHeld)
    content[it.key] = it.isList && values.length ? values : values[0] ?? null
  }
  return content
}

function typed(text, { constraints, property }) {
  const type = typeOf(property, constraints)
  if (type === xsd('integer')) return Number(text)
  return type === xsd('boolean') ? text === 'true' : text
}

function asHeld({ id, text, native }) {
  if (native === 'number') return Number(text)
  return native === 'boolean' ? text === 'true' : text ?? id
}

/** Why a field cannot be sent as it is; nothing where it can. */
export function refusal(it, method) {
  const { badInput, stepMismatch } = it.input.validity
  if (badInput || stepMismatch) return it.input.validationMessage
  if (method === 'PATCH' && !it.isTouched) return undefined
  if (!it.texts.length) return it.required ? 'This is needed.' : undefined
  if (it.property.isLink && it.texts.some((text) => /\s/.test(text) || !URL.canParse(text, document.baseURI))) return 'Write an address, as it stands in a browser.'
  return it.constraints && it.texts.map((text) => objection(text, it.constraints)).find(Boolean)
}

/** As if nothing had been said yet, of this or of what was done before. */
export function unsaid({ fields, told }) {
  document.querySelector('main > .said')?.remove()
  told.replaceChildren()
  for (const it of fields) {
    it.input.removeAttribute('aria-invalid')
    it.message.textContent = ''
  }
}

/** Says each thing at its field, and all of them in one place, which then has the focus. */
export function refuse({ told, title }, reasons, { heading, more } = {}) {
  for (const { field: it, message } of reasons) {
    if (!it) continue
    it.input.setAttribute('aria-invalid', 'true')
    it.message.textContent = message
    it.element.closest('details')?.setAttribute('open', '')
  }
  const words = heading ?? 'This could not be sent yet.'
  const summary = h('div', { class: 'notice', tabindex: -1, role: 'group', 'aria-label': words }, h('p', { class: 'strong' }, words),
    h('ul', {}, reasons.map(({ field: it, message }) => h('li', {}, it
      ? h('a', { href: `#${it.input.id}`, click: (event) => { event.preventDefault(); it.input.focus() } }, `${sentence(it.label)}: ${message}`) : message))), more)
  told.replaceChildren(summary)
  summary.focus()
  announce(`${title}: ${words}`)
}
