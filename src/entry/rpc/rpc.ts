import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers"
import type { FacadeOptions, LarderLedger } from "../../services/facade/KvFacade.ts"
import { kvNamespace, larder, type OpenableStore } from "../facade/namespace.ts"
import { valuesOf } from "../facade/namespaceKeys.ts"

/** How a value is put. */
export interface RpcPutOptions {
  /** Seconds, at least 60. */
  readonly expirationTtl?: number
  /** JSON of at most 1,024 bytes. */
  readonly metadata?: unknown
}

export interface RpcListOptions {
  readonly prefix?: string
  readonly cursor?: string
  readonly limit?: number
}

export interface RpcPage {
  readonly keys: ReadonlyArray<{ readonly name: string; readonly expiration?: number; readonly metadata?: unknown }>
  readonly cursor: string | undefined
}

/** What can be asked of a Larder by a service binding. */
export interface LarderRpc {
  readonly get: (key: string) => Promise<string | null>
  readonly getBytes: (key: string) => Promise<ArrayBuffer | null>
  readonly getMany: (keys: ReadonlyArray<string>) => Promise<ReadonlyMap<string, string | null>>
  readonly put: (key: string, value: string | ArrayBuffer, options?: RpcPutOptions) => Promise<void>
  readonly delete: (key: string) => Promise<void>
  readonly list: (options?: RpcListOptions) => Promise<RpcPage>
}

const rpcOf = (namespace: KVNamespace): LarderRpc => ({
  get: (key) => namespace.get(key),
  getBytes: (key) => namespace.get(key, "arrayBuffer"),
  getMany: async (keys) => {
    const values = await valuesOf(namespace, keys)
    return new Map(keys.map((key, at) => [key, values[at]!]))
  },
  put: (key, value, options) => namespace.put(key, value, options),
  delete: (key) => namespace.delete(key),
  list: async (options) => {
    const page = await namespace.list({ ...options })
    return { keys: page.keys, cursor: page.list_complete ? undefined : page.cursor }
  }
})

/** Several calls within one request of the caller, billed as that one. */
class RpcSession extends RpcTarget implements LarderRpc {
  readonly #rpc: LarderRpc

  constructor(rpc: LarderRpc) {
    super()
    this.#rpc = rpc
  }

  get(key: string) {
    return this.#rpc.get(key)
  }

  getBytes(key: string) {
    return this.#rpc.getBytes(key)
  }

  getMany(keys: ReadonlyArray<string>) {
    return this.#rpc.getMany(keys)
  }

  put(key: string, value: string | ArrayBuffer, options?: RpcPutOptions) {
    return this.#rpc.put(key, value, options)
  }

  delete(key: string) {
    return this.#rpc.delete(key)
  }

  list(options?: RpcListOptions) {
    return this.#rpc.list(options)
  }
}

/** The class, whose instances the runtime makes. */
export type LarderEntrypoint = new (
  context: ExecutionContext,
  env: unknown
) => LarderRpc &
  Rpc.WorkerEntrypointBranded & { readonly session: () => LarderRpc; readonly ledger: () => LarderLedger }

export interface EntrypointOptions extends FacadeOptions {
  /** The KV binding. Default `KV`. */
  readonly binding?: string
}

/**
 * An entry point for service bindings: a namespace behind Larder, one for all Workers that are bound to it. `session()`
 * gives an object whose calls all belong to one request.
 *
 * @example
 * export class Larder extends larderEntrypoint({ binding: "KV" }) {}
 */
export const larderEntrypoint = ({ binding = "KV", ...options }: EntrypointOptions = {}): LarderEntrypoint =>
  class extends WorkerEntrypoint<unknown> implements LarderRpc {
    #rpc(): LarderRpc {
      const namespace = (this.env as { readonly [name: string]: KVNamespace | undefined })[binding]
      if (namespace === undefined) throw new TypeError(`larderEntrypoint: no KV namespace is bound as ${binding}`)
      const store = (options.store as OpenableStore | undefined)?.in(this.env as object)
      return rpcOf(kvNamespace(namespace, this.ctx, store === undefined ? options : { ...options, store }, binding))
    }

    get(key: string) {
      return this.#rpc().get(key)
    }

    getBytes(key: string) {
      return this.#rpc().getBytes(key)
    }

    getMany(keys: ReadonlyArray<string>) {
      return this.#rpc().getMany(keys)
    }

    put(key: string, value: string | ArrayBuffer, options?: RpcPutOptions) {
      return this.#rpc().put(key, value, options)
    }

    delete(key: string) {
      return this.#rpc().delete(key)
    }

    list(options?: RpcListOptions) {
      return this.#rpc().list(options)
    }

    /** To be disposed by the caller (`using session = await env.LARDER.session()`). */
    session(): LarderRpc {
      return new RpcSession(this.#rpc())
    }

    /** What this isolate asked for and what that came to. */
    ledger() {
      return larder.ledger()
    }
  }

/** What a service binding to a {@link larderEntrypoint} offers, for the environment of who calls it. */
export interface LarderService extends LarderRpc {
  readonly session: () => Promise<LarderRpc & Disposable>
}
