// The bar above every page: where one is, and who one is.

import { announce, fresh, h } from './dom.js'
import { toLocal } from './http.js'
import { again } from './navigation.js'
import { forget } from './names.js'
import { bearer, signIn, signOut, token, tokenIn, whenChanged } from './session.js'

const people = document.documentElement.dataset.signIn
const place = document.getElementById('bar')
let documentation

export function bar(known) {
  documentation = known
  draw()
}

whenChanged(draw)

function draw() {
  const home = documentation?.entrypoint ? toLocal(documentation.entrypoint) : undefined
  const title = h('span', { class: 'brand' }, documentation?.title ?? 'Explorer')
  const who = token()
    ? [h('span', { class: 'who' }, bearer()), h('button', { type: 'button', class: 'plain', click: leave }, 'Sign out')]
    : [h('button', { type: 'button', class: 'plain', click: comeIn }, 'Sign in')]
  place.replaceChildren(home ? h('a', { href: home, class: 'home' }, title) : title, h('div', { class: 'session' }, who))
}

/** What takes long is told of, to who looks and to who listens, until `bar` is drawn next. */
export function waiting() {
  if (!place.querySelector('.loading')) place.append(h('p', { class: 'loading' }, 'Loading …'))
  announce('Loading …')
}

function leave() {
  signOut()
  forget()
  again({ said: 'Signed out.', focus: true })
}

/** A form that waits for it keeps what was written into it. */
function comeIn() {
  const asking = document.querySelector('.told .sign-in')
  if (asking) asking.click()
  else askToken()
}

/** Said only once the service has taken the token. */
const afresh = () => again({ said: () => token() && `Signed in: ${bearer()}.`, focus: true })

/** A dialog in which a token is pasted, or one of the people of the sample data is chosen; `then` goes on. */
export async function askToken(then = afresh) {
  const field = fresh('token'), heading = fresh('sign-in'), hint = fresh('hint'), error = fresh('error')
  const refused = h('p', { class: 'error', id: error, role: 'alert' })
  const close = () => { dialog.close() }
  const enter = (text) => {
    const found = tokenIn(text)
    if (!found) {
      input.setAttribute('aria-invalid', 'true')
      refused.textContent = 'This is not an access token: it has letters, digits and . _ ~ + / = - only.'
      return input.focus()
    }
    signIn(found)
    forget()
    close()
    then()
  }
  const input = h('textarea', { id: field, rows: 4, required: true, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', 'aria-describedby': `${hint} ${error}` })
  const dialog = h('dialog', { 'aria-labelledby': heading, close: () => dialog.remove() },
    h('form', { method: 'dialog', novalidate: true, submit: (event) => { event.preventDefault(); enter(input.value) } },
      h('h2', { id: heading }, 'Sign in'),
      h('div', { class: 'people' }),
      h('div', { class: 'field' }, h('label', { for: field }, 'Access token'), input,
        h('p', { class: 'hint', id: hint }, 'Kept in this tab until you sign out or close it. It is sent to this service only.'), refused),
      h('p', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Use this token'), h('button', { type: 'button', class: 'plain', click: close }, 'Cancel'))))
  document.body.append(dialog)
  dialog.showModal()
  input.focus()
  if (people) dialog.querySelector('.people').append(...await samples(enter, refused))
}

/** Only a service on one's own machine has them. */
async function samples(enter, refused) {
  const found = (await gotten(people))?.people ?? []
  if (!found.length) return []
  const buttons = found.map(({ name, email, address }) => h('button', { type: 'button', class: 'plain', click: async () => {
    refused.textContent = ''
    const made = await gotten(new URL(address, new URL(people, location.href)), 'POST')
    if (made) enter(made.token)
    else refused.textContent = 'There is nobody of that name: the service was started without its sample data.'
  } }, `${name}`, h('span', { class: 'muted' }, ` ${email}`)))
  return [h('p', { class: 'hint' }, 'This service runs on your own machine. Be one of the people of its sample data:'), h('p', { class: 'buttons column' }, buttons), h('p', { class: 'or' }, 'or paste a token')]
}

async function gotten(address, method = 'GET') {
  try {
    const answer = await fetch(address, { method, headers: { Accept: 'application/json' }, credentials: 'omit' })
    return answer.ok ? await answer.json() : undefined
  } catch {
    return undefined
  }
}
