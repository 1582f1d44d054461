import { Miniflare } from "miniflare"
import { bundle, moduleOf } from "../../test/support/miniflare.ts"
import { startRelay } from "./relay.ts"

export interface Proxy {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** A Worker in workerd in front of an origin, without miniflare's own entry Worker, which edits headers. */
export const startWorker = async (worker: string, origin: string, port = 0): Promise<Proxy> => {
  const miniflare = new Miniflare({
    ...moduleOf(await bundle(new URL(worker, import.meta.url))),
    bindings: { ORIGIN: origin },
    cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port }]
  })
  const url = (await miniflare.unsafeGetDirectURL()).href.replace(/\/$/, "")
  return { url, stop: () => miniflare.dispose() }
}

/** The cache in front of any origin, for any client. */
export const startProxy = async (origin: string, port = 0): Promise<Proxy> => {
  const relay = await startRelay(origin)
  const { stop, url } = await startWorker("./cachedWorker.ts", relay.url, port)
  return {
    url,
    stop: async () => {
      await stop()
      relay.stop()
    }
  }
}
