// What was really sent and answered: the representation in every syntax that there is, and the header fields.

import { announce, fresh, h } from './dom.js'
import { ask, asCurl } from './http.js'
import { LD_JSON, SYNTAXES } from './terms.js'

const MOST_CHARACTERS = 200_000

export function exchanged(page) {
  return [representations(page), headers(page.answer)]
}

function representations(page) {
  let made
  const details = h('details', { class: 'panel raw', toggle: async () => {
    if (details.open) details.append(await (made ??= tabs(page)))
  } }, h('summary', {}, h('h2', {}, 'Raw representation')))
  return details
}

/** Those syntaxes that the address really comes in, which is asked without their content. */
async function tabs(page) {
  const offered = page.answer.ok ? await Promise.all(SYNTAXES.map(async ([name, type]) => {
    if (type === LD_JSON) return [name, type]
    const answer = await ask(page.answer.address, { method: 'HEAD', accept: type }).catch(() => undefined)
    return answer?.ok && answer.type === type && [name, type]
  })) : [['Problem', LD_JSON]]
  const panel = h('div', { role: 'tabpanel', id: fresh('raw'), tabindex: 0 })
  const list = h('div', { role: 'tablist', 'aria-label': 'Syntaxes' })
  const made = offered.filter(Boolean).map(([name, type]) => h('button', { type: 'button', role: 'tab', id: fresh('tab'), 'aria-controls': panel.id, 'aria-selected': 'false', tabindex: -1, click: () => choose(type) }, name))
  const types = offered.filter(Boolean).map(([, type]) => type)
  const choose = async (type) => {
    made.forEach((tab, n) => {
      tab.setAttribute('aria-selected', String(types[n] === type))
      tab.tabIndex = types[n] === type ? 0 : -1
    })
    panel.setAttribute('aria-labelledby', made[types.indexOf(type)].id)
    panel.setAttribute('aria-busy', 'true')
    const answer = type === LD_JSON ? page.answer : await ask(page.answer.address, { accept: type }).catch(() => undefined)
    if (made[types.indexOf(type)].getAttribute('aria-selected') === 'true') {
      panel.replaceChildren(...shown(answer, page.answer.ok))
      panel.removeAttribute('aria-busy')
    }
  }
  list.append(...made)
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const edge = { Home: 0, End: made.length - 1 }[event.key]
    if (step === undefined && edge === undefined) return
    event.preventDefault()
    const next = edge ?? (made.indexOf(document.activeElement) + step + made.length) % made.length
    made[next].focus()
    made[next].click()
  })
  await choose(types[0])
  return h('div', {}, list, panel)
}

function shown(answer, hasContent) {
  if (!answer || hasContent && !answer.ok) return [h('p', {}, answer ? `The service answered with ${answer.status} this time.` : 'The service could not be reached.')]
  const text = answer.json ? JSON.stringify(answer.json, null, 2) : answer.text
  const cut = text.length > MOST_CHARACTERS
  return [
    h('p', { class: 'buttons' }, copier('Copy', answer.text), copier('Copy as curl', asCurl(answer.request))),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Text of the representation' }, h('code', {}, cut ? `${text.slice(0, MOST_CHARACTERS)}\n…` : text)),
    cut && h('p', { class: 'muted' }, 'Only the beginning is shown; all of it is copied.'),
  ].filter(Boolean)
}

const SECONDS_SAID = 2

function copier(label, text) {
  const button = h('button', { type: 'button', class: 'plain', click: async () => {
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false)
    const words = copied ? 'Copied.' : 'The browser does not let this be copied.'
    announce(words)
    button.textContent = words
    setTimeout(() => { button.textContent = label }, SECONDS_SAID * 1000)
  } }, label)
  return button
}

function headers(answer) {
  const { method, address, fields } = answer.request
  const path = new URL(address)
  return h('details', { class: 'panel headers' }, h('summary', {}, h('h2', {}, 'Request and response')),
    h('h3', {}, 'Request'), block(`${method} ${path.pathname}${path.search}`, Object.entries(fields)),
    h('h3', {}, 'Response'), block(`${answer.status}`, answer.fields))
}

function block(line, fields) {
  return h('div', { class: 'fields' }, h('p', {}, h('code', {}, line)), h('dl', {}, fields.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))))
}
