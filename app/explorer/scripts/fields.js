// The fields of a form, and what is said at them.

import { announce, fresh, h, sentence } from './dom.js'
import { hydra, xsd } from './terms.js'

/** A field for a property; `filled` with what the thing says now, where it is to be changed. */
export function field(property, constraints, node, page, { filled }) {
  const id = fresh('field'), hint = fresh('hint'), error = fresh('error')
  const now = filled ? node.values(property.iri).map((it) => it.text ?? it.id)[0] ?? '' : ''
  const required = property.required || (constraints?.minCount ?? 0) > 0 && property.required
  const shared = { id, name: property.key, 'aria-required': required ? 'true' : undefined, 'aria-describedby': `${hint} ${error}` }
  const choices = constraints?.choices?.map((it) => [it, it]) ?? (property.isLink ? linkable(property, page) : [])
  const input = choices.length ? h('select', shared, h('option', { value: '' }, property.isLink ? 'Choose …' : ''), choices.map(([value, label]) => h('option', { value, selected: value === now }, label)))
    : h('input', { ...shared, type: kind(property, constraints), value: now, autocomplete: 'off', spellcheck: 'false' })
  const message = h('p', { class: 'error', id: error })
  return {
    iri: property.iri, key: property.key, label: property.label, required, constraints, input, message, now, property,
    value: () => (input.type === 'checkbox' ? String(input.checked) : input.value),
    element: h('div', { class: 'field' },
      h('label', { for: id }, sentence(property.label), required && h('span', { class: 'needed' }, ' needed'), ' ', h('code', {}, property.key)),
      input, h('p', { class: 'hint', id: hint }, [property.description, limits(constraints)].filter(Boolean).join(' ')), message),
  }
}

function kind(property, constraints) {
  const type = constraints?.datatype ?? property.ranges.find((it) => it.startsWith(xsd('')))
  if (property.iri.endsWith('/email')) return 'email'
  if (property.isLink) return 'url'
  return { [xsd('integer')]: 'number', [xsd('date')]: 'date', [xsd('boolean')]: 'checkbox' }[type] ?? 'text'
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

/** The content to send: of a change, only what is another now; what was emptied is taken away. */
export function read(fields, method) {
  const content = {}
  for (const it of fields) {
    const value = it.value()
    if (method === 'PATCH' ? value === it.now : !value) continue
    content[it.key] = value === '' ? null : typed(value, it)
  }
  return content
}

function typed(value, { constraints, property }) {
  const type = constraints?.datatype ?? property.ranges.find((it) => it.startsWith(xsd('')))
  if (type === xsd('integer')) return Number(value)
  return type === xsd('boolean') ? value === 'true' : value
}

/** As if nothing had been said yet. */
export function settle({ fields, told }) {
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
