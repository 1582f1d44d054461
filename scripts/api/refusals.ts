import type * as OpenApi from "@effect/platform/OpenApi"
import { bodyOf, type Kind, kinds, type ProblemBody } from "../../src/entry/http/problem.ts"
import { explanations } from "./problems.ts"

/** What every operation may be refused with. */
const everywhere: ReadonlyArray<Kind> = [
  "bad-parameter",
  "url-too-long",
  "too-many-requests",
  "daily-limit",
  "internal",
  "misconfigured",
  "unavailable",
  "took-too-long"
]

const guarded: ReadonlyArray<Kind> = ["unauthorized", "forbidden", "no-api-key-configured"]

const withJson: ReadonlyArray<Kind> = [
  "bad-json",
  "incomplete-body",
  "request-timeout",
  "too-large",
  "unsupported-media-type",
  "invalid-body"
]

const withBytes: ReadonlyArray<Kind> = [
  "bad-header",
  "incomplete-body",
  "request-timeout",
  "too-large",
  "unsupported-media-type"
]

const cacheWrites: ReadonlyArray<Kind> = ["rate-limited", "not-stored", "shard-full", "read-only"]

const fileRoutes: ReadonlyArray<Kind> = ["over-quota", "no-bucket", "no-database"]

/** What some are refused with beside: of an operation, or of all that begin alike. */
const beside: ReadonlyArray<readonly [operations: RegExp, kinds: ReadonlyArray<Kind>]> = [
  [/^entries\./, ["bad-key", "bad-header", "application-collection", "no-such-collection", "condition-failed"]],
  [/^entries\.(get|head)/, ["no-such-entry", "undecodable"]],
  [/^entries\.put/, withBytes],
  [/^entries\.(put|delete)|^cache\.clear/, cacheWrites],
  [/^entries\.(put|delete)/, ["needs-durable-mode"]],
  [/^cache\.(batch|list|clear)/, ["application-collection", "no-such-collection"]],
  [/^cache\.batch/, ["too-many-keys", "not-stored"]],
  [/^cache\.invalidate/, ["not-stored"]],
  [/^static\.symbol$/, ["no-such-symbol", "condition-failed"]],
  [/^static\.symbols$/, ["condition-failed"]],
  [/^static\./, ["bad-header"]],
  [/^static\.table/, ["no-such-table", "condition-failed"]],
  [/^admin\.(flush|restore|migrate|reshard)$/, ["no-durable-objects"]],
  [/^admin\.(flushBuffered|migrate)$/, ["rate-limited"]],
  [/^admin\.reshard/, ["reshard-under-way"]],
  [/^monitor\.explain/, ["no-such-collection", "bad-key"]],
  [/^config\.reset/, ["no-such-route"]],
  [/^sectors\./, ["no-such-entry", "no-market-source"]],
  [/^market\.(quotes|stream|sentiment|signals)/, ["no-such-symbol"]],
  [/^market\.(quotes|stream|sentiment|publish)/, ["no-market-source"]],
  [/^market\.report/, ["no-such-report"]],
  [/^alerts\.create/, ["too-many-alerts", "not-stored"]],
  [/^alerts\.(get|remove)/, ["no-such-alert"]],
  [/^alerts\.remove/, ["not-stored"]],
  [/^alerts\.resend/, ["no-such-dead-letter", "webhook-failed"]],
  [/^(files|storage)\./, fileRoutes],
  [/^files\.(read|put|delete)/, ["bad-key", "bad-header", "condition-failed"]],
  [/^files\.(read|delete)|^storage\.share$/, ["no-such-file"]],
  [/^files\.read|^storage\.shared/, ["range-not-satisfiable", "condition-failed", "bad-header"]],
  [/^files\.put|^storage\.part/, [...withBytes, "rate-limited", "not-stored"]],
  [/^files\.presign/, ["no-link-credentials"]],
  [/^storage\.(upload|part|completeUpload|abortUpload)/, ["no-such-upload"]],
  [/^storage\.completeUpload/, ["incomplete-upload", "not-stored"]],
  [/^storage\.(withdraw|shared)/, ["no-such-share"]],
  [/^storage\.addUser/, ["key-in-use"]],
  [/^storage\.removeUser/, ["no-such-user"]],
  [/^database\./, ["no-database"]]
]

/** What no route is answered with, as it is no request of one. */
export const elsewhere: ReadonlyArray<Kind> = ["forbidden-origin", "method-not-allowed"]

/** The refusals of an operation. */
export const refusalsOf = (id: string, open: boolean, json: boolean): ReadonlyArray<Kind> => [
  ...new Set([
    ...everywhere,
    ...(open ? [] : guarded),
    ...(json ? withJson : []),
    ...beside.flatMap(([operations, more]) => (operations.test(id) ? more : []))
  ])
]

const exampleOf = (kind: Kind): ProblemBody & { readonly requestId: string } => {
  const [status] = kinds[kind]
  return {
    ...bodyOf(kind, explanations[kind][0]),
    instance: "/api/v1/cache/default/greeting",
    requestId: "25038230-748b-1",
    ...(status === 429 || kind === "unavailable" || kind === "not-stored" ? { retryAfter: 1 } : {}),
    ...(status === 405 ? { allow: ["GET", "HEAD"] } : {}),
    ...(kind === "invalid-body" ? { errors: [{ pointer: "#/tags", detail: "this is missing" }] } : {})
  }
}

/** Of every problem an example, by its name. */
export const problemExamples = Object.fromEntries(
  (Object.keys(kinds) as Array<Kind>).map((kind) => [kind, { summary: kinds[kind][1], value: exampleOf(kind) }])
)

/** Adds to an operation what it is refused with, by status, each with the examples of its problems. */
export const refuse = (operation: OpenApi.OpenAPISpecOperation, open: boolean, json: boolean): void => {
  const declared = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400)
  const described = new Map(declared.map(([status, { description }]) => [Number(status), description]))
  for (const [status] of declared) delete operation.responses[Number(status)]
  const refusals = refusalsOf(operation.operationId, open, json)
  for (const status of [...new Set(refusals.map((kind) => kinds[kind][0]))].sort()) {
    const of = refusals.filter((kind) => kinds[kind][0] === status)
    const examples = Object.fromEntries(of.map((kind) => [kind, { $ref: `#/components/examples/${kind}` }]))
    const content: {} = {
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, examples }
    }
    const description = described.get(status) ?? of.map((kind) => kinds[kind][1]).join("; ")
    operation.responses[status] = { description, content }
  }
}
