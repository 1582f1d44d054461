import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { routesOf } from "../../src/entry/http/routes.ts"
import { entries } from "../../src/entry/store/apiEntries.ts"
import { coreOperations, headers, type Operation, type Operations, tags } from "./operations.ts"
import { applicationOperations } from "./operationsApplications.ts"

/** Every operation of the two Workers, by `group.operation`. */
export const operations: Operations = { ...coreOperations, ...applicationOperations }

const guarded = new Set(["401", "403"])

/**
 * The contract as an OpenAPI 3.1 document: what HttpApi derives, with the API key named as the security scheme and one
 * schema for all refusals, and what operations.ts says of each operation. What is used most comes first.
 */
export const document = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): OpenApi.OpenAPISpec => {
  const spec = structuredClone(OpenApi.fromApi(api))
  for (const route of routesOf(api)) {
    for (const [method, { access, json }] of route.methods) {
      const operation = spec.paths[route.path]?.[method.toLowerCase() as OpenApi.OpenAPISpecMethodName]
      if (operation === undefined) continue
      for (const [status, response] of Object.entries(operation.responses)) {
        if (access === "public" && guarded.has(status)) delete operation.responses[Number(status)]
        else if (Number(status) >= 400) response.content = problemContent
      }
      const said = operations[operation.operationId]
      if (said?.summary !== undefined) operation.summary = said.summary
      if (said?.description !== undefined) operation.description = said.description
      exemplify(operation, said)
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

const problemContent: {} = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } }
