import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"
import { pageOf } from "../../services/durable/model/ShardListing.ts"
import type { PurgeMark } from "../../services/http-cache/model/Purge.ts"
import { type PurgeLog, retainedMillis } from "../../services/http-cache/PurgeLog.ts"
import type { Stamper } from "../../services/store/Stamper.ts"

/** No user's collection has this name. */
const front = "~purges/"

/** No tag of a user begins so: what they invalidate ends no mark. */
const marker = "\u0001"

const pageRows = 1000

/** How far the clocks of two isolates may be apart. */
const skewMillis = 60_000

const idOf = (at: number, suffix = ""): string => `${front}${String(Math.max(0, at)).padStart(15, "0")}${suffix}`

/** Rows of the objects that keep entries: one for each purge. A read is one request to each of them. */
export const make = (durable: Context.Tag.Service<DurableCache>, stamper: Context.Tag.Service<Stamper>): PurgeLog => ({
  read: (since) =>
    Effect.runPromise(
      Effect.gen(function* () {
        const marks: Array<PurgeMark> = []
        let after: string | undefined = idOf(since - skewMillis)
        while (after !== undefined) {
          const page: ReturnType<typeof pageOf> = pageOf(yield* durable.list(front, after, pageRows), pageRows)
          for (const { tags } of page.rows) {
            const text = tags.find((tag) => tag.startsWith(marker))
            if (text !== undefined) marks.push(JSON.parse(text.slice(marker.length)) as PurgeMark)
          }
          after = page.next
        }
        return marks
      })
    ),

  write: (mark) =>
    Effect.runPromise(
      Effect.gen(function* () {
        const body = {
          value: new Uint8Array(0),
          contentType: "",
          tags: [marker + JSON.stringify(mark)],
          expiresAt: mark.at + retainedMillis,
          loadMillis: 0
        }
        const write = { id: idOf(mark.at, `-${crypto.randomUUID()}`), stamp: stamper.next(mark.at), body }
        const [result] = yield* durable.apply([write], "first")
        if (result instanceof DurableCacheError) return yield* result
      })
    )
})
