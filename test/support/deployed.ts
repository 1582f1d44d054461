import { join } from "node:path"
import type { Miniflare } from "miniflare"
import { bundle, start } from "./miniflare.ts"

/** The product's own Worker, bundled. */
export const bundled = (): Promise<string> => bundle(new URL("../../src/entry/worker.ts", import.meta.url))

/** Where `deployed` keeps the objects' disks; KV lies beside them, and outlives their loss. */
export const objectsIn = (directory: string): string => join(directory, "objects")

/** The Worker with all its bindings and the API key `test`; what it keeps outlives it where there is a directory. */
export const deployed = (script: string, variables: Record<string, string>, directory?: string): Miniflare =>
  start(
    script,
    { API_KEYS: "test", MARKET_SOURCE: "sample", ...variables },
    {
      kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
      durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } },
      ...(directory === undefined
        ? {}
        : { kvPersist: join(directory, "kv"), durableObjectsPersist: objectsIn(directory) })
    }
  )
