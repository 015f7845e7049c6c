// Somebody else changed it first: what there is now beside what was meant, and the choice between them.

import { announce, grid, h, sentence } from './dom.js'
import { expand } from './json_ld.js'
import { refuse } from './fields.js'
import { ask } from './http.js'
import { again } from './navigation.js'
import { problemPanel } from './problem.js'
import { hydra } from './terms.js'

const FIRST = 'Somebody else changed this first.'

/** `send` sends what the form has by then, from then on with the entity tag of what there is now. */
export async function conflict(task, content, send) {
  const answer = await ask(task.address).catch(() => undefined)
  if (answer && !answer.ok) return problemPanel(task, answer)
  const { root } = await expand(answer?.json, answer?.address).catch(() => ({}))
  if (!root) return refuse(task, [{ message: 'What there is now could not be read. Nothing of yours has been written; try again.' }], { heading: FIRST })
  const fields = task.fields.filter((it) => it.key in content)
  for (const it of fields) it.isMeant = true
  const compared = comparison(fields, root, task)
  compared.hidden = true
  const see = h('button', { type: 'button', class: 'plain', 'aria-expanded': 'false', click: () => {
    compared.hidden = !compared.hidden
    see.setAttribute('aria-expanded', String(!compared.hidden))
  } }, 'See theirs')
  const keep = h('button', { type: 'button', class: 'primary', click: () => { task.etag = answer.etag; send() } }, 'Keep mine and send again')
  const drop = h('button', { type: 'button', class: 'plain', click: () => again({ focus: true, said: 'Yours was dropped.' }) }, 'Drop mine')
  const notice = h('div', { class: 'notice', tabindex: -1, role: 'group', 'aria-label': FIRST },
    h('p', { class: 'strong' }, FIRST), h('p', {}, 'Nothing of yours has been written. You can look at what there is now, change yours, and then decide.'),
    h('p', { class: 'buttons' }, see, keep, drop), compared)
  task.told.replaceChildren(notice)
  notice.focus()
  announce(FIRST)
}

/** What a POST says is not said of what it is sent to, so that nothing there is compared with it. */
function comparison(fields, root, { method, page }) {
  if (method === 'POST' || !fields.length) return h('p', {}, `It is now: ${[root, ...root.nodes(hydra('member'))].map(page.nameOf).join(', ')}.`)
  const theirs = (it) => root.values(it.iri).map((value) => value.text ?? value.id).join(', ')
  return grid('Theirs and yours', ['Property', 'Before', 'Theirs now', 'Yours'],
    fields.map((it) => [sentence(it.label), it.now, theirs(it), it.texts.join(', ')]))
}
