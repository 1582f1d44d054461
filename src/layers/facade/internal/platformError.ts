import type { KvError } from "../../../services/kv/Kv.ts"
import { StoreError } from "../../../services/store/Store.ts"

/** What KV says when a key gets more than a write a second. */
export const isRateLimited = (error: unknown): boolean => error instanceof Error && / failed: 429\b/.test(error.message)

/** The error that the platform threw, which callers of a namespace expect, out of what it became on its way. */
export const platformError = (error: unknown): unknown => {
  const { cause } = error as StoreError | KvError
  if (error instanceof StoreError || (error as { _tag?: unknown } | undefined)?._tag === "KvError") {
    return cause === undefined ? new Error((error as Error).message) : platformError(cause)
  }
  return error
}
