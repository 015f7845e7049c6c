// Problems (RFC 9457): as a page where an address answers with one, and in a form that was refused.

import { announce, h, sentence } from './dom.js'
import { expand, Node } from './json_ld.js'
import { refuse } from './fields.js'
import { link } from './values.js'
import { item } from './item.js'
import { inWords } from './terms.js'

const ASIDE = new Set(['@context', '@id', '@type', 'type', 'title', 'status', 'detail', 'instance', 'description', 'report', 'violations'])

/** In a form: what concerns a field at the field. */
export function problemPanel(task, answer) {
  const problem = answer.json ?? {}
  const reasons = (problem.violations ?? []).map(({ propertyPath, message }) => ({
    field: task.fields.find((it) => it.key === propertyPath), message: message ?? propertyPath,
  }))
  if (!reasons.length) reasons.push({ message: problem.detail ?? problem.description ?? answer.status })
  const type = problem.type && /^https?:/.test(problem.type) ? h('p', {}, 'What this means: ', link(problem.type, problem.title ?? inWords(problem.type))) : undefined
  const way = answer.status === 401 && h('p', { class: 'buttons' }, h('button', { type: 'button', class: 'plain sign-in', click: () => task.page.signIn(() => cameIn(task)) }, 'Sign in'))
  refuse(task, reasons, { heading: `${problem.title ?? 'The service refused it'} (${answer.status}).`, more: [type, way] })
}

/** What was written stays, and is sent only when it is said to be. */
function cameIn({ told, title }) {
  const words = 'You are signed in. What you wrote has not been sent yet.'
  told.replaceChildren(h('p', { class: 'said' }, words))
  told.closest('form')?.querySelector('[type=submit]').focus()
  announce(`${title}: ${words}`)
}

/** At an address of its own. */
export async function problemPage(answer, page) {
  const problem = answer.json ?? {}
  const rest = answer.json ? Object.keys(problem).filter((key) => !ASIDE.has(key)) : []
  const more = rest.length > 0 && await besides(answer, rest)
  return [
    h('p', { class: 'lead' }, problem.detail ?? problem.description ?? 'The service answered with nothing that could be shown.'),
    answer.status === 401 && h('p', { class: 'buttons' }, h('button', { type: 'button', class: 'primary', click: () => page.signIn() }, 'Sign in')),
    problem.type && h('p', {}, 'What this means: ', link(problem.type, sentence(problem.title ?? inWords(problem.type)))),
    more && item(more, page),
  ]
}

/** What the problem says of itself beyond what every problem says. */
async function besides({ json, address }, keys) {
  const { root } = await expand(json, address)
  const rest = new Node(root.id)
  rest.types = root.types
  rest.said = new Map([...root.said].filter(([, it]) => keys.includes(it.key)))
  return rest
}
