// Going from address to address within the page, with the browser's own history.

import { reveal } from './dom.js'
import { isOurs, withoutFragment } from './http.js'

let draw
let wanted  // what was asked for last, whether or not it has come
let shown  // what is on the page

/** `drawing` shows what is at an address. */
export function navigate(drawing) {
  draw = drawing
  document.addEventListener('click', follow)
  addEventListener('popstate', (event) => {
    if (withoutFragment(location.href) !== wanted) want(location.href, { at: event.state?.y ?? 0 })
  })
  addEventListener('hashchange', () => reveal(location.href))
  history.scrollRestoration = 'manual'
  want(location.href, { first: true, at: history.state?.y ?? 0 })
}

function want(address, options) {
  wanted = withoutFragment(address)
  return draw(address, options)
}

/** That this address is what is on the page now, also where another one was asked for. */
export function arrived(address, asked) {
  const hash = new URL(asked).hash
  if (address !== withoutFragment(location.href)) history.replaceState(history.state, '', address + hash)
  wanted = shown = withoutFragment(location.href)
}

export function go(address, options = {}) {
  if (!isOurs(address)) return /^https?:/.test(address) ? location.assign(address) : undefined
  history.replaceState({ y: scrollY }, '')
  history.pushState({}, '', address)
  return want(address, options)
}

export const again = (options = {}) => want(location.href, options)

/** Whether this is another address than that of what is on the page. */
export const isElsewhere = (address) => shown !== undefined && withoutFragment(address) !== shown

/** To what has a page of its own. The place in the history that was made for it is given back first: it would
 *  belong to this page, and a way to a part of this page's own address would lead nowhere. */
export function leave(address) {
  history.replaceState(history.state, '', shown)
  location.replace(address)
}

function follow(event) {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const raw = typeof link.href === 'string' ? link.href : new URL(link.href.baseVal, location.href).href
  if (link.getAttribute('target') || link.hasAttribute('download') || !isOurs(raw)) return
  if (raw.includes('#') && withoutFragment(raw) === withoutFragment(location.href)) return
  event.preventDefault()
  go(raw)
}
