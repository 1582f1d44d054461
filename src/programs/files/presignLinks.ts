import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { FileCatalog, type Reservation } from "../../services/files/FileCatalog.ts"
import { FileSettings, quotaOf } from "../../services/files/FileSettings.ts"
import { FileUsage } from "../../services/files/FileUsage.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { dataKey } from "../../services/files/model/StoredObject.ts"
import { type LinkRequest, PresignedUrls } from "../../services/files/PresignedUrls.ts"

/** Signs links for one owner's files. What links may put is reserved until they expire, all of it or nothing. */
export const presignLinks = (owner: string, requests: ReadonlyArray<LinkRequest>) =>
  Effect.gen(function* () {
    const catalog = yield* FileCatalog
    const now = yield* Clock.currentTimeMillis
    const links = yield* (yield* PresignedUrls).presign(
      requests.map((request) => ({ ...request, key: dataKey(objectKeyOf(owner, request.key)) }))
    )
    const reservations = new Map<string, Reservation>()
    requests.forEach((request, i) => {
      if (request.method !== "PUT") return
      const reservation = reservationOf(owner, request, now, links[i]!.expiresAt)
      reservations.set(reservation.id, reservation)
    })
    yield* catalog.reserve([...reservations.values()], quotaOf(yield* FileSettings), now)
    const key = requests.length === 1 ? requests[0]!.key : `${requests.length} links`
    yield* (yield* FileUsage).record(owner, { at: now, action: "presign", key, bytes: undefined })
    return links
  })

/** The same link, asked for again, is the same reservation. */
const reservationOf = (owner: string, request: LinkRequest, now: number, expiresAt: number): Reservation => {
  const { contentLength, contentType, key } = request
  return {
    id: createHash("sha256")
      .update(JSON.stringify([owner, key, contentType, contentLength]))
      .digest("hex"),
    owner,
    key,
    kind: "link",
    bytes: contentLength ?? 0,
    contentType: contentType ?? "",
    uploadId: undefined,
    fileExpiresAt: undefined,
    createdAt: now,
    expiresAt
  }
}
