// Who is asking: a token that this tab keeps until it is closed or somebody signs out. It is sent in a header
// field, and stands in no cookie and in no address.

const KEY = 'explorer.token'
let changed = () => {}

/** `callback` is called whenever somebody has come in or gone out. */
export function whenChanged(callback) {
  changed = callback
}

export function token() {
  return sessionStorage.getItem(KEY) ?? ''
}

/** The token that a text has, which may be broken into lines; nothing where it can be none (RFC 6750, 2.1). */
export function tokenIn(text) {
  const found = text.trim().replace(/^Bearer\s+/i, '').replace(/\s+/g, '')
  return /^[\w.~+/-]+=*$/.test(found) ? found : undefined
}

export function signIn(value) {
  sessionStorage.setItem(KEY, value)
  changed()
}

export function signOut() {
  sessionStorage.removeItem(KEY)
  changed()
}

/** What the token says of its bearer, where it is one that can be read. */
export function bearer() {
  try {
    const part = token().split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
    const octets = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))
    const claims = JSON.parse(new TextDecoder().decode(octets))
    return String(claims.name ?? claims.email ?? claims.sub ?? 'Signed in')
  } catch {
    return 'Signed in'
  }
}
