import type * as OpenApi from "@effect/platform/OpenApi"
import type { Operations } from "./operations.ts"

/** What an operation was answered: its status and its body, JSON or text, if it has one. */
export interface Answer {
  readonly status: number
  readonly type?: string
  readonly body?: unknown
}

export type Answers = Readonly<Record<string, Answer>>

/** Sends a request under a key that may do everything. */
export type Ask = (
  path: string,
  init: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string }
) => Promise<Response>

/** Where an operation is, by its name: its method, and its path as OpenAPI writes it. */
export type Routes = ReadonlyMap<string, { readonly method: string; readonly path: string }>

export const routesOf = ({ paths }: OpenApi.OpenAPISpec): Routes =>
  new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, { operationId }]) => [operationId, { method: method.toUpperCase(), path }] as const
      )
    )
  )

/** What the Worker is told, beside its keys, for all of its routes to answer. */
export const variables = {
  WEBHOOK_SECRET: "an example of at least 24 bytes",
  R2_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
  R2_ACCESS_KEY_ID: "example",
  R2_SECRET_ACCESS_KEY: "example-secret"
}

/**
 * The requests of the reference in an order in which each finds what it names. Some are sent twice, as others delete what
 * they made; a dead letter needs a webhook that fails for hours: its answers are written by hand, in `byHand`.
 */
const order: ReadonlyArray<string> = [
  ..."put get head".split(" ").map((it) => `entries.${it}`),
  ..."batch list invalidate stats metadata".split(" ").map((it) => `cache.${it}`),
  ..."entries.put monitor.explain ledger.report data.health data.bindings".split(" "),
  ..."symbols symbol table".split(" ").map((it) => `static.${it}`),
  ..."quotes stream sentiment score publish report signals".split(" ").map((it) => `market.${it}`),
  "sectors.snapshot",
  ..."create get list remove sweep".split(" ").map((it) => `alerts.${it}`),
  ..."put read list presign".split(" ").map((it) => `files.${it}`),
  ..."share shares shared withdraw".split(" ").map((it) => `storage.${it}`),
  ..."startUpload part upload completeUpload startUpload abortUpload".split(" ").map((it) => `storage.${it}`),
  ..."addUser users removeUser usage audit".split(" ").map((it) => `storage.${it}`),
  "files.delete",
  ..."statements advice".split(" ").map((it) => `database.${it}`),
  ..."change settings history reset".split(" ").map((it) => `config.${it}`),
  ..."flush restore migrate reshard flushBuffered prefetch".split(" ").map((it) => `admin.${it}`),
  ..."performance stream recommendations alerts reports lately metrics".split(" ").map((it) => `monitor.${it}`),
  "entries.delete",
  "cache.clear"
]

const letter = {
  key: "2026-11-25-abc",
  alert: "abc",
  target: "https://example.com",
  body: '{"type":"price-alert","symbol":"AAPL","price":251.3}',
  reason: "it answered 500",
  attempts: 5,
  firedAt: "2026-11-25T15:05:00.000Z",
  givenUpAt: "2026-11-25T19:05:00.000Z"
}

export const byHand: Answers = {
  "alerts.deadLetters": { status: 200, type: "application/json", body: { deadLetters: [letter], cursor: null } },
  "alerts.resend": { status: 200, type: "application/json", body: letter }
}

/** The names that earlier answers gave, in place of those of the reference. */
const named = (group: string, path: Readonly<Record<string, string>>, answers: Record<string, Answer>) => {
  const bodyOf = (id: string) => (answers[id]?.body ?? {}) as { id?: string; url?: string; report?: { date: string } }
  const given: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    alerts: { id: bodyOf("alerts.create").id },
    market: { date: bodyOf("market.publish").report?.date },
    upload: { id: bodyOf("storage.startUpload").id },
    share: { id: bodyOf("storage.share").id, token: bodyOf("storage.share").url?.split("/").at(-1) },
    user: { id: bodyOf("storage.addUser").id }
  }
  return Object.fromEntries(Object.entries(path).map(([name, value]) => [name, given[group]?.[name] ?? value]))
}

const groupOf = (id: string): string =>
  /upload|part$/i.test(id)
    ? "upload"
    : /storage\.(share|withdraw)/.test(id)
      ? "share"
      : /User$/.test(id)
        ? "user"
        : id.replace(/\..*/, "")

/** The beginning of an answer, as much as a reader wants: two elements of a list, some lines of a text. */
const shortened = (value: unknown): unknown => {
  if (typeof value === "string") {
    return value.length > 600 ? value.slice(0, Math.max(value.lastIndexOf("\n", 600) + 1, 200)) : value
  }
  if (Array.isArray(value)) return value.slice(0, 2).map(shortened)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, shortened(it)]))
}

/** A stream of events has no end: it is read as far as its first event. */
const textOf = async (response: Response, endless: boolean): Promise<string> => {
  if (!endless) return response.text()
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ""
  while (!/^data:.*\n\n/m.test(text)) text += decoder.decode((await reader.read()).value, { stream: true })
  await reader.cancel()
  return text
}

/** Sends every request of the reference and returns what each was answered at last, in the order of the reference. */
export const tell = async (operations: Operations, routes: Routes, ask: Ask): Promise<Answers> => {
  const answers: Record<string, Answer> = {}
  for (const id of order) {
    const said = operations[id]
    const route = routes.get(id)
    if (said === undefined || route === undefined) throw new Error(`no operation is called ${id}`)
    const parts = named(groupOf(id), { collection: "default", ...said.path }, answers)
    const query = new URLSearchParams(said.query).toString()
    const response = await ask(
      route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name]!)) + (query && `?${query}`),
      {
        method: route.method,
        headers: said.headers ?? (said.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(said.body === undefined
          ? {}
          : { body: typeof said.body === "string" ? said.body : JSON.stringify(said.body) })
      }
    )
    const type = response.headers.get("Content-Type") ?? undefined
    const text = await textOf(response, type?.startsWith("text/event-stream") === true)
    if (!response.ok) throw new Error(`${id} was answered ${response.status} ${text}`)
    answers[id] = {
      status: response.status,
      ...(text === "" || type === undefined
        ? {}
        : { type, body: shortened(type === "application/json" ? JSON.parse(text) : text) })
    }
  }
  return Object.fromEntries(Object.keys(operations).map((id) => [id, byHand[id] ?? answers[id]!]))
}
