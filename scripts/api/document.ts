import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { routesOf } from "../../src/entry/http/routes.ts"
import { entries } from "../../src/entry/store/apiEntries.ts"
import { answers } from "./answers.ts"
import { coreOperations, headers, type Operation, type Operations, tags } from "./operations.ts"
import { applicationOperations } from "./operationsApplications.ts"
import { problemExamples, refuse } from "./refusals.ts"

/** Every operation of the two Workers, by `group.operation`. */
export const operations: Operations = { ...coreOperations, ...applicationOperations }

/** The answers that `npm run openapi:record` was given. */
const recorded: Readonly<Record<string, { readonly status: number; readonly body?: unknown }>> = answers

/**
 * The contract as an OpenAPI 3.1 document: what HttpApi derives, with the API key named as the security scheme and one
 * schema for all refusals, what operations.ts says of each operation, and of every answer an example. What is used most
 * comes first.
 */
export const document = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): OpenApi.OpenAPISpec => {
  const spec = structuredClone(OpenApi.fromApi(api))
  for (const route of routesOf(api)) {
    for (const [method, { access, json }] of route.methods) {
      const operation = spec.paths[route.path]?.[method.toLowerCase() as OpenApi.OpenAPISpecMethodName]
      if (operation === undefined) continue
      refuse(operation, access === "public", json !== false)
      const said = operations[operation.operationId]
      if (said?.summary !== undefined) operation.summary = said.summary
      if (said?.description !== undefined) operation.description = said.description
      exemplify(operation, said)
      answer(operation)
      for (const parameter of operation.parameters) {
        const description = parameter.in === "header" ? headers[parameter.name] : undefined
        if (description !== undefined) parameter.description = description
      }
      if (json === "optional") delete (operation.requestBody as { required?: boolean } | undefined)?.required
      operation.security = access === "public" ? [] : [{ apiKey: [] }]
    }
  }
  delete spec.components.schemas.HttpApiDecodeError
  delete spec.components.schemas.Issue
  Object.assign(spec.components, { examples: problemExamples })
  for (const tag of spec.tags) tag.description ??= tags[tag.name] ?? tag.name
  spec.tags.sort((a, b) => Number(b.name === entries.identifier) - Number(a.name === entries.identifier))
  spec.components.securitySchemes.apiKey = {
    type: "apiKey",
    name: "X-API-KEY",
    in: "header",
    description: "A key has some of the scopes read, write, admin."
  }
  return spec
}

/** The document as a static asset, written by `npm run openapi`; `$id`s, which would have to be unique, are left out. */
export const documentText = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): string => JSON.stringify(document(api), (name, value) => (name === "$id" ? undefined : value), 1)

/**
 * Shows the request of operations.ts: an example of each parameter that it has, and of its body under the type that it is
 * sent with. OpenAPI ignores a parameter called Content-Type.
 */
const exemplify = (operation: OpenApi.OpenAPISpecOperation, said: Operation | undefined): void => {
  const values: Readonly<Record<string, string>> = { collection: "default", ...said?.path, ...said?.query }
  operation.parameters = operation.parameters.filter(({ name }) => name !== "content-type")
  for (const parameter of operation.parameters) {
    const example = values[parameter.name]
    if (example !== undefined) Object.assign(parameter, { example })
  }
  if (said?.body === undefined) return
  const type = said.headers?.["Content-Type"]
  const content: Record<string, object> = operation.requestBody?.content ?? {}
  const [declared = "application/octet-stream"] = Object.keys(content)
  const schema = type === undefined ? undefined : bytes
  operation.requestBody = {
    required: true,
    ...operation.requestBody,
    content: {
      [type ?? declared]: { ...content[declared], ...(schema && { schema }), example: said.body },
      ...(type === undefined ? {} : { "*/*": { schema: bytes } })
    } as NonNullable<OpenApi.OpenAPISpecOperation["requestBody"]>["content"]
  }
}

const bytes = { type: "string", format: "binary" }

/** Shows what the request of operations.ts was answered. */
const answer = (operation: OpenApi.OpenAPISpecOperation): void => {
  const { body, status } = recorded[operation.operationId] ?? {}
  const [media] = Object.values(operation.responses[status ?? 0]?.content ?? {})
  if (media !== undefined && body !== undefined) Object.assign(media, { example: body })
}
