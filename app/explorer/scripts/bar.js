// The bar above every page: where one is, and who one is.

import { announce, fresh, h } from './dom.js'
import { toLocal } from './http.js'
import { again } from './navigation.js'
import { forget } from './names.js'
import { bearer, signIn, signOut, token } from './session.js'

const people = document.documentElement.dataset.signIn

export function bar(documentation) {
  const home = documentation?.entrypoint ? toLocal(documentation.entrypoint) : undefined
  const title = h('span', { class: 'brand' }, documentation?.title ?? 'Explorer')
  const who = token()
    ? [h('span', { class: 'who' }, bearer()), h('button', { type: 'button', class: 'plain', click: leave }, 'Sign out')]
    : [h('button', { type: 'button', class: 'plain', click: askToken }, 'Sign in')]
  document.getElementById('bar').replaceChildren(home ? h('a', { href: home, class: 'home' }, title) : title, h('div', { class: 'session' }, who))
}

function leave() {
  signOut()
  forget()
  again({ said: 'Signed out.', focus: true })
}

/** A dialog in which a token is pasted, or one of the people of the sample data is chosen. */
export async function askToken() {
  const field = fresh('token'), heading = fresh('sign-in'), hint = fresh('hint')
  const close = () => { dialog.close() }
  const input = h('textarea', { id: field, rows: 4, required: true, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', 'aria-describedby': hint })
  const dialog = h('dialog', { 'aria-labelledby': heading, close: () => dialog.remove() },
    h('form', { method: 'dialog', submit: (event) => { event.preventDefault(); enter(input.value, close) } },
      h('h2', { id: heading }, 'Sign in'),
      h('div', { class: 'people' }),
      h('div', { class: 'field' }, h('label', { for: field }, 'Access token'), input,
        h('p', { class: 'hint', id: hint }, 'Kept in this tab until you sign out or close it. It is sent to this service only.')),
      h('p', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Use this token'), h('button', { type: 'button', class: 'plain', click: close }, 'Cancel'))))
  document.body.append(dialog)
  dialog.showModal()
  input.focus()
  if (people) dialog.querySelector('.people').append(...await samples(close))
}

/** Only a service on one's own machine has them. */
async function samples(close) {
  const answer = await fetch(people, { headers: { Accept: 'application/json' }, credentials: 'omit' }).catch(() => undefined)
  const found = answer?.ok ? (await answer.json()).people : []
  if (!found.length) return []
  const buttons = found.map(({ name, email, address }) => h('button', { type: 'button', class: 'plain', click: async () => {
    const made = await fetch(new URL(address, new URL(people, location.href)), { method: 'POST', headers: { Accept: 'application/json' }, credentials: 'omit' })
    if (made.ok) enter((await made.json()).token, close)
    else announce('No token could be had.')
  } }, `${name}`, h('span', { class: 'muted' }, ` ${email}`)))
  return [h('p', { class: 'hint' }, 'This service runs on your own machine, with sample data. Be one of its people:'), h('p', { class: 'buttons column' }, buttons), h('p', { class: 'or' }, 'or paste a token')]
}

function enter(value, close) {
  if (!value.trim()) return
  signIn(value)
  forget()
  close()
  again({ said: `Signed in: ${bearer()}.`, focus: true })
}
