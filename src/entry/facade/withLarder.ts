import type { FacadeOptions } from "../../services/facade/KvFacade.ts"
import { kvNamespace } from "./namespace.ts"

export interface WithLarderOptions extends FacadeOptions {
  /** The bindings that become facades, by name, each with options over the common ones. Default: every KV namespace of the environment. */
  readonly bindings?: ReadonlyArray<string> | { readonly [binding: string]: FacadeOptions }
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
  const { bindings, ...common } = options
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
    wrapped[name] = kvNamespace(value, context, own)
  }
  return { ...env, ...wrapped }
}

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
    return class extends worker {
      constructor(context: ExecutionContext, env: unknown) {
        super(context, wrappedEnv(env, context, options))
      }
    } as unknown as Worker
  }
  const wrapped: Record<string, unknown> = { ...(worker as Record<string, unknown>) }
  for (const name of handlers) {
    const handler = (worker as { readonly [name: string]: unknown })[name]
    if (typeof handler !== "function") continue
    wrapped[name] = ((event, env, context) =>
      (handler as Handler).call(worker, event, wrappedEnv(env, context, options), context)) satisfies Handler
  }
  return wrapped as Worker
}
