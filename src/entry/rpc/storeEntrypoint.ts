import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers"
import type { Env } from "../app.ts"
import type { StoreRpc } from "./storeRpc.ts"

type Opened = (env: Env, context: Pick<ExecutionContext, "waitUntil">) => StoreRpc

type Arguments<M extends keyof StoreRpc> = Parameters<StoreRpc[M]>

/** Several calls within one request of the caller, billed as that one. */
class StoreSession extends RpcTarget implements StoreRpc {
  readonly #rpc: StoreRpc

  constructor(rpc: StoreRpc) {
    super()
    this.#rpc = rpc
  }

  get(...args: Arguments<"get">) {
    return this.#rpc.get(...args)
  }

  getMany(...args: Arguments<"getMany">) {
    return this.#rpc.getMany(...args)
  }

  getOrLoad(...args: Arguments<"getOrLoad">) {
    return this.#rpc.getOrLoad(...args)
  }

  set(...args: Arguments<"set">) {
    return this.#rpc.set(...args)
  }

  writeMany(...args: Arguments<"writeMany">) {
    return this.#rpc.writeMany(...args)
  }

  delete(...args: Arguments<"delete">) {
    return this.#rpc.delete(...args)
  }

  list(...args: Arguments<"list">) {
    return this.#rpc.list(...args)
  }

  invalidateTags(...args: Arguments<"invalidateTags">) {
    return this.#rpc.invalidateTags(...args)
  }

  clear(...args: Arguments<"clear">) {
    return this.#rpc.clear(...args)
  }

  inspect() {
    return this.#rpc.inspect()
  }
}

/**
 * The Store of a Worker as an entry point for service bindings. Who is bound to it needs no API key, and may read and
 * write all collections but those of applications. `session()` gives an object whose calls all belong to one request.
 */
export const storeEntrypoint = (opened: Opened) =>
  class Larder extends WorkerEntrypoint<Env> implements StoreRpc {
    get(...args: Arguments<"get">) {
      return opened(this.env, this.ctx).get(...args)
    }

    getMany(...args: Arguments<"getMany">) {
      return opened(this.env, this.ctx).getMany(...args)
    }

    getOrLoad(...args: Arguments<"getOrLoad">) {
      return opened(this.env, this.ctx).getOrLoad(...args)
    }

    set(...args: Arguments<"set">) {
      return opened(this.env, this.ctx).set(...args)
    }

    writeMany(...args: Arguments<"writeMany">) {
      return opened(this.env, this.ctx).writeMany(...args)
    }

    delete(...args: Arguments<"delete">) {
      return opened(this.env, this.ctx).delete(...args)
    }

    list(...args: Arguments<"list">) {
      return opened(this.env, this.ctx).list(...args)
    }

    invalidateTags(...args: Arguments<"invalidateTags">) {
      return opened(this.env, this.ctx).invalidateTags(...args)
    }

    clear(...args: Arguments<"clear">) {
      return opened(this.env, this.ctx).clear(...args)
    }

    inspect() {
      return opened(this.env, this.ctx).inspect()
    }

    /** To be disposed by the caller: `using session = await env.LARDER.session()`. */
    session(): StoreSession {
      return new StoreSession(opened(this.env, this.ctx))
    }
  }
