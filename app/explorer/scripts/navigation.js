// Going from address to address within the page, with the browser's own history.

import { isOurs } from './http.js'

let show

/** `draw` shows what is at an address. */
export function navigate(draw) {
  show = draw
  document.addEventListener('click', follow)
  addEventListener('popstate', (event) => {
    if (withoutHash(location.href) !== shown) draw(location.href, { at: event.state?.y ?? 0 })
  })
  history.scrollRestoration = 'manual'
  draw(location.href, { first: true })
}

let shown

/** That this address is what is on the page now, also where another one was asked for. */
export function settled(address, asked) {
  const hash = new URL(asked).hash
  if (address !== withoutHash(location.href)) history.replaceState(history.state, '', address + hash)
  shown = withoutHash(location.href)
}

export function go(address, options = {}) {
  history.replaceState({ y: scrollY }, '')
  if (options.replace) history.replaceState({}, '', address)
  else history.pushState({}, '', address)
  return show(address, options)
}

export const again = (options = {}) => show(location.href, options)

function follow(event) {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const raw = typeof link.href === 'string' ? link.href : new URL(link.href.baseVal, location.href).href
  if (link.getAttribute('target') || link.hasAttribute('download') || !isOurs(raw)) return
  const within = withoutHash(raw) === withoutHash(location.href) && raw.includes('#')
  if (within) return
  event.preventDefault()
  go(raw)
}

const withoutHash = (address) => address.split('#')[0]
