// Requests: with the caller's token, to nobody but the service that the page came from.

import { LD_JSON } from './terms.js'
import { signOut, token } from './session.js'

const base = document.documentElement.dataset.base ?? ''
const published = base ? new URL(base).origin : location.origin
const below = base ? new URL(base).pathname.replace(/\/$/, '') : ''

/** Where an IRI is found from here: a service on a loopback answers by all of its names. */
export function toLocal(iri) {
  return iri.startsWith(`${published}/`) ? location.origin + iri.slice(published.length) : iri
}

/** How the data names what is at an address. */
export function toIri(address) {
  return address.startsWith(`${location.origin}/`) ? published + address.slice(location.origin.length) : address
}

export function isOurs(iri) {
  return `${toLocal(iri)}/`.startsWith(`${location.origin}${below}/`)
}

/** The address without its fragment. */
export function withoutFragment(iri) {
  return iri.split('#')[0]
}

/** What was asked and answered. The browser's memory stays out of it: at this address it has the page. A token
 *  that is refused is forgotten: with it even what is for everybody would be refused. */
export async function ask(iri, { method = 'GET', accept = LD_JSON, fields = {}, body } = {}) {
  const address = withoutFragment(toLocal(iri))
  if (!isOurs(address)) throw new Error(`${address} is of another service`)
  const used = token()
  const sent = { Accept: accept, ...fields }
  const headers = used ? { ...sent, Authorization: `Bearer ${used}` } : sent
  const response = await fetch(address, { method, headers, body, cache: 'no-store', credentials: 'omit' })
  if (response.status === 401 && used && used === token()) signOut()
  const text = method === 'HEAD' ? '' : await response.text()
  const type = (response.headers.get('Content-Type') ?? '').split(';')[0].trim()
  return {
    request: { method, address: toIri(address), fields: used ? { ...sent, Authorization: 'Bearer $TOKEN' } : sent, body },
    status: response.status, ok: response.ok, address: response.url || address, type, text,
    fields: [...response.headers], etag: response.headers.get('ETag'), location: response.headers.get('Location'),
    links: parseLinks(response.headers.get('Link') ?? ''),
    ...(/[/+]json$/.test(type) && text ? parsed(text) : {}),
  }
}

function parsed(text) {
  try { return { json: JSON.parse(text) } } catch { return { isBroken: true } }
}

/** RFC 8288: the targets by their relations, in order. */
export function parseLinks(field) {
  const found = {}
  for (const [, target, parameters] of field.matchAll(/<([^>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"(?:\\.|[^"\\])*"|[^\s,;"]+))?)*)/g)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]+))/i.exec(parameters)
    for (const name of (rel?.[1] ?? rel?.[2] ?? '').split(/\s+/).filter(Boolean)) {
      (found[name] ??= []).push(new URL(target, toIri(location.href)).href)
    }
  }
  return found
}

/** As a shell takes it, and curl, to which brackets and braces in an address stand for several; the token stays
 *  out. */
export function asCurl({ method, address, fields, body }) {
  const single = (text) => `'${text.replaceAll("'", "'\\''")}'`
  const lines = [`curl ${/[[\]{}]/.test(address) ? '-g ' : ''}${method === 'GET' ? '' : `-X ${method} `}${single(address)}`]
  for (const [name, value] of Object.entries(fields)) {
    lines.push(name === 'Authorization' ? `-H "Authorization: Bearer $TOKEN"` : `-H ${single(`${name}: ${value}`)}`)
  }
  if (body) lines.push(`--data ${single(body)}`)
  return lines.join(' \\\n  ')
}
