import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"
import type { FacadeOptions } from "../../services/facade/KvFacade.ts"
import { kvNamespace, larder, type OpenableStore } from "./namespace.ts"

export interface WithLarderOptions extends FacadeOptions {
  /** The bindings that become facades, by name, each with options over the common ones. Default: every KV namespace of the environment. */
  readonly bindings?: ReadonlyArray<string> | { readonly [binding: string]: FacadeOptions }
  /**
   * Where the ledger of the isolate is told: in a header `Larder-Ledger` of every response of `fetch`, or in a line of
   * the log behind every event. Default nowhere.
   */
  readonly report?: "header" | "log"
}

type Event = Pick<ExecutionContext, "waitUntil">

/** What the runtime calls on a module's default export, each with `(event, env, ctx)`. */
const handlers = ["fetch", "scheduled", "queue", "email", "tail", "tailStream", "trace", "test"] as const

const isNamespace = (value: unknown): value is KVNamespace => {
  if (typeof value !== "object" || value === null) return false
  const { delete: remove, get, getWithMetadata, list, put } = value as { readonly [K in keyof KVNamespace]?: unknown }
  return [get, getWithMetadata, put, remove, list].every((method) => typeof method === "function")
}

const optionsFor = (name: string, value: unknown, options: WithLarderOptions): FacadeOptions | undefined => {
  const { bindings, report: _, ...common } = options
  if (bindings === undefined) return isNamespace(value) ? common : undefined
  if (Array.isArray(bindings)) return bindings.includes(name) ? common : undefined
  const own = (bindings as { readonly [binding: string]: FacadeOptions })[name]
  return own === undefined ? undefined : { ...common, ...own }
}

/** The environment with its KV namespaces behind facades that live as long as the event. */
const wrappedEnv = <Env>(env: Env, context: Event, options: WithLarderOptions): Env => {
  const wrapped: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(env as Record<string, unknown>)) {
    const own = optionsFor(name, value, options)
    if (own === undefined) continue
    if (!isNamespace(value)) throw new TypeError(`withLarder: the binding ${name} is no KV namespace`)
    const store = (own.store as OpenableStore | undefined)?.in(env as object)
    wrapped[name] = kvNamespace(value, context, store === undefined ? own : { ...own, store }, name)
  }
  return { ...env, ...wrapped }
}

/** What was asked for and what was billed, as reads/writes/deletes/lists, and dollars saved at list price. */
const ledgerLine = (): string => {
  const { asked, billed, usd } = larder.ledger()
  const counts = ({ deletes, lists, reads, writes }: typeof asked) => `"${[reads, writes, deletes, lists].join("/")}"`
  return `asked=${counts(asked)}, billed=${counts(billed)}, saved-usd=${usd.saved.toFixed(6)}`
}

const reported = async (answer: unknown, report: WithLarderOptions["report"]): Promise<unknown> => {
  const settled = await answer
  if (report === "log") log(Effect.logInfo(`larder: ${ledgerLine()}`))
  if (report !== "header" || !(settled instanceof Response) || settled.webSocket) return settled
  const response = new Response(settled.body, settled)
  response.headers.set("Larder-Ledger", ledgerLine())
  return response
}

const log = Runtime.runSync(LoggerJson.runtime)

type Handler = (event: unknown, env: unknown, context: Event) => unknown

type EntryPoint = new (context: ExecutionContext, env: unknown) => object

const isClass = (value: unknown): value is EntryPoint => typeof value === "function"

/**
 * Wraps a Worker, so that every KV namespace in its `env` is kept behind Larder's tiers; nothing else changes.
 * `env` imported from `cloudflare:workers` stays as it is.
 *
 * @param worker the default export: an object of handlers, or a `WorkerEntrypoint` class
 * @example
 * export default withLarder({ fetch: (request, env, ctx) => … })
 */
export const withLarder = <Worker extends object>(worker: Worker, options: WithLarderOptions = {}): Worker => {
  if (isClass(worker)) {
    const wrapped = class extends worker {
      constructor(context: ExecutionContext, env: unknown) {
        super(context, wrappedEnv(env, context, options))
      }
    }
    const { fetch } = worker.prototype as { readonly fetch?: (request: Request) => unknown }
    if (options.report !== undefined && fetch !== undefined) {
      Object.defineProperty(wrapped.prototype, "fetch", {
        value(this: object, request: Request) {
          return reported(fetch.call(this, request), options.report)
        }
      })
    }
    return wrapped as unknown as Worker
  }
  const wrapped: Record<string, unknown> = { ...(worker as Record<string, unknown>) }
  for (const name of handlers) {
    const handler = (worker as { readonly [name: string]: unknown })[name]
    if (typeof handler !== "function") continue
    wrapped[name] = ((event, env, context) => {
      const answer = (handler as Handler).call(worker, event, wrappedEnv(env, context, options), context)
      return options.report === undefined ? answer : reported(answer, options.report)
    }) satisfies Handler
  }
  return wrapped as Worker
}
