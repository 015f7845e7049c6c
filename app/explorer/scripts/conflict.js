// Somebody else changed it first: what there is now beside what was meant, and the choice between them.

import { announce, h, sentence } from './dom.js'
import { expand } from './json_ld.js'
import { ask } from './http.js'
import { again } from './navigation.js'

/** `send` sends what was meant once more, with the entity tag of what there is now. */
export async function conflict(task, content, send) {
  const answer = await ask(task.node.id)
  if (!answer.ok) return again({ focus: true })
  const { root } = await expand(answer.json, answer.address)
  const fields = task.fields.filter((it) => it.key in content)
  const theirs = (it) => root.values(it.iri).map((value) => value.text ?? value.id).join(', ')
  const table = h('table', {}, h('caption', { class: 'unseen' }, 'Theirs and yours'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Property'), h('th', { scope: 'col' }, 'Before'), h('th', { scope: 'col' }, 'Theirs now'), h('th', { scope: 'col' }, 'Yours'))),
    h('tbody', {}, fields.map((it) => h('tr', {}, h('th', { scope: 'row' }, sentence(it.label)), h('td', {}, it.now), h('td', {}, theirs(it)), h('td', {}, it.value())))))
  const see = h('button', { type: 'button', class: 'plain', 'aria-expanded': 'false', click: () => {
    compared.hidden = !compared.hidden
    see.setAttribute('aria-expanded', String(!compared.hidden))
  } }, 'See theirs')
  const compared = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Theirs and yours', hidden: true }, fields.length ? table : whole(root, task.page))
  const keep = h('button', { type: 'button', class: 'primary', click: () => { task.told.replaceChildren(); send(answer.etag) } }, 'Keep mine and send again')
  const drop = h('button', { type: 'button', class: 'plain', click: () => again({ focus: true, said: 'Yours was dropped.' }) }, 'Drop mine')
  const notice = h('div', { class: 'notice', tabindex: -1, role: 'group', 'aria-label': 'Somebody else changed this first' },
    h('p', { class: 'strong' }, 'Somebody else changed this first.'), h('p', {}, 'Nothing of yours has been written. You can look at what there is now, and then decide.'),
    h('p', { class: 'buttons' }, see, keep, drop), compared)
  task.told.replaceChildren(notice)
  notice.focus()
  announce('Somebody else changed this first.')
}

function whole(root, page) {
  return h('p', {}, `It is now: ${page.nameOf(root)}.`)
}
