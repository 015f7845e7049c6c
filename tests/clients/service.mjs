// Where the service is and who asks, from the command line, and a fetch that reaches nothing but the service.

export const [base, token, ...rest] = process.argv.slice(2)
export const authorization = token ? { Authorization: `Bearer ${token}` } : {}

/** Every request that was sent, in order. */
export const requests = []

const send = globalThis.fetch

globalThis.fetch = async (resource, options) => {
  const request = new Request(resource, options)
  const { method, url, headers } = request
  if (!url.startsWith(`${base}/`)) throw new Error(`The client asks for ${url}, which is not the service's.`)
  const response = await send(request)
  requests.push({
    method,
    url,
    token: headers.has('Authorization'),
    ifNoneMatch: headers.get('If-None-Match'),
    status: response.status,
  })
  return response
}

export function print(found) {
  process.stdout.write(JSON.stringify(found, null, 2) + '\n')
}
