// node api-doc-parser.mjs BASE [TOKEN]: what an admin interface would be built from.

import { authorization, base, print, requests, token } from './service.mjs'
import { parseHydraDocumentation } from '@api-platform/api-doc-parser'

const options = token ? { headers: authorization } : {} // without headers the client sends no Accept either
const { api, status } = await parseHydraDocumentation(`${base}/api`, options)

function fieldOf({ readableFields, writableFields }, field) {
  const { name, id, type, required, reference, maxCardinality } = field
  return {
    name,
    id,
    type,
    required,
    readable: readableFields.includes(field),
    writable: writableFields.includes(field),
    reference: reference?.name ?? null,
    maxCardinality,
  }
}

/** They stand in the collection, which nobody may read without a token. */
async function parametersOf(resource) {
  const parameters = await resource.getParameters()
  return parameters.map(({ variable, range, required }) => ({ variable, range, required }))
}

const resources = []
for (const resource of api.resources) {
  const { name, url, id, title, fields, operations } = resource
  resources.push({
    name,
    url,
    id,
    title,
    fields: fields.map((field) => fieldOf(resource, field)),
    operations: operations.map(({ method, type, name, expects = null, returns }) => ({
      method,
      type,
      name,
      expects,
      returns,
    })),
    parameters: token ? await parametersOf(resource) : null,
  })
}
print({ status, title: api.title, entrypoint: api.entrypoint, resources, requests })
