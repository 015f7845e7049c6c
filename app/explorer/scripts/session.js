// Who is asking: a token that this tab keeps until it is closed or somebody signs out. It is sent in a header
// field, and stands in no cookie and in no address.

const KEY = 'explorer.token'

export function token() {
  return sessionStorage.getItem(KEY) ?? ''
}

export function signIn(value) {
  sessionStorage.setItem(KEY, value.trim().replace(/^Bearer\s+/i, ''))
}

export function signOut() {
  sessionStorage.removeItem(KEY)
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
