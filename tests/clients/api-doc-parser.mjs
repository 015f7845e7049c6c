// node api-doc-parser.mjs BASE [TOKEN]: what an admin interface would be built from.

import { authorization, base, print, requests, token } from './service.mjs'
import { parseHydraDocumentation } from '@api-platform/api-doc-parser'

const options = token ? { headers: authorization } : {} // without headers the client sends no Accept either
const { api, status } = await parseHydraDocumentation(`${base}/api`, options)

async function described(resource) {
  const { name, url, id, title, fields, readableFields, writableFields, operations } = resource
  return {
    name,
    url,
    id,
    title,
    fields: fields.map((field) => ({
      name: field.name,
      id: field.id,
      type: field.type,
      required: field.required,
      readable: readableFields.includes(field),
      writable: writableFields.includes(field),
      reference: field.reference?.name ?? null,
      maxCardinality: field.maxCardinality,
      description: field.description,
    })),
    operations: operations.map(({ method, type, name, expects, returns }) => ({
      method,
      type,
      name,
      expects: expects ?? null,
      returns,
    })),
    // These stand in the collection, which nobody may read without a token.
    parameters: token
      ? (await resource.getParameters()).map(({ variable, range, required }) => ({ variable, range, required }))
      : null,
  }
}

const resources = []
for (const resource of api.resources) resources.push(await described(resource))
print({ status, title: api.title, entrypoint: api.entrypoint, resources, requests })
