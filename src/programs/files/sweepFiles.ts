import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { FileCatalog } from "../../services/files/FileCatalog.ts"
import { FileShares } from "../../services/files/FileShares.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"
import { adoptUpload } from "./adoptUpload.ts"
import { removeFile } from "./removeFile.ts"

/** Files and reservations that one sweep looks after; the next one goes on. */
const maxSwept = 200

/** Removes what has expired, and gives back what was reserved and never used. Without a database it does nothing. */
export const sweepFiles = Effect.gen(function* () {
  const catalog = yield* FileCatalog
  const store = yield* ObjectStore
  const now = yield* Clock.currentTimeMillis
  const expired = yield* catalog.expired(now, maxSwept)
  yield* Effect.forEach(expired, ({ key, owner }) => removeFile(owner, key, "expire"), {
    concurrency: 6,
    discard: true
  })
  const abandoned = yield* catalog.abandoned(now, maxSwept)
  yield* Effect.forEach(
    abandoned,
    (reservation) =>
      Effect.gen(function* () {
        const { id, key, owner, uploadId } = reservation
        if (uploadId !== undefined) yield* store.abortUpload(objectKeyOf(owner, key), uploadId)
        if (!(yield* adoptUpload(reservation))) yield* catalog.release(id)
      }),
    { concurrency: 6, discard: true }
  )
  yield* (yield* FileShares).dropExpired(now)
  return { expired: expired.length, abandoned: abandoned.length }
}).pipe(Effect.catchIf(isNotBound, () => Effect.succeed({ expired: 0, abandoned: 0 })))

function isNotBound(error: { readonly reason: string }): boolean {
  return error.reason === "NotBound"
}
