import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { FileCatalog, FileCatalogError, type FileRow, type Reservation } from "../../services/files/FileCatalog.ts"
import { FileSettings, quotaOf } from "../../services/files/FileSettings.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { maxBodyBytes, putMillis } from "../../services/files/model/FileLimits.ts"
import { type ObjectInfo, ObjectStore, type WriteCondition } from "../../services/files/ObjectStore.ts"

export interface NewFile {
  readonly owner: string
  readonly key: string
  readonly body: ReadableStream<Uint8Array> | Uint8Array
  /** Bytes, where they are declared; without, all that is left of the quota is reserved meanwhile. */
  readonly length: number | undefined
  readonly contentType: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined
  readonly condition: WriteCondition | undefined
}

/** The metadata of a file's object that says when it expires, so that reading it needs no database. */
export const expiresName = "expires-at"

export const rowOf = (key: string, info: ObjectInfo): FileRow => ({
  key,
  bytes: info.bytes,
  storedBytes: info.storedBytes,
  contentType: info.contentType,
  etag: info.etag,
  updatedAt: info.uploadedAt,
  expiresAt: expiresOf(info)
})

export const expiresOf = ({ metadata }: ObjectInfo): number | undefined => {
  const text = metadata[expiresName]
  return text === undefined ? undefined : Number(text)
}

/** Reserves, stores, records. What was not stored is not reserved any longer either. */
export const storeFile = (file: NewFile) =>
  Effect.gen(function* () {
    const catalog = yield* FileCatalog
    const store = yield* ObjectStore
    const quota = quotaOf(yield* FileSettings)
    const now = yield* Clock.currentTimeMillis
    const { body, condition, contentType, expiresAt, key, length, owner } = file
    const left = length === undefined ? yield* catalog.bytesLeft(owner, quota, now) : maxBodyBytes
    const limit = Math.max(0, Math.min(maxBodyBytes, left))
    const reservation: Reservation = {
      id: crypto.randomUUID(),
      owner,
      key,
      kind: "put",
      bytes: length ?? limit,
      contentType,
      uploadId: undefined,
      fileExpiresAt: expiresAt,
      createdAt: now,
      expiresAt: now + putMillis
    }
    yield* catalog.reserve([reservation], quota, now)
    const info = yield* store
      .put(objectKeyOf(owner, key), body, {
        contentType,
        limit,
        ...(length === undefined ? {} : { length }),
        ...(condition === undefined ? {} : { condition }),
        ...(expiresAt === undefined ? {} : { metadata: { [expiresName]: String(expiresAt) } })
      })
      .pipe(
        Effect.onError(() => Effect.ignore(catalog.release(reservation.id))),
        Effect.catchIf(
          ({ reason }) => reason === "TooLarge" && limit < maxBodyBytes,
          () => Effect.fail(new FileCatalogError({ operation: "reserve", reason: "OverBytes" }))
        )
      )
    const replaced = yield* catalog.settle(reservation, rowOf(key, info), yield* Clock.currentTimeMillis)
    return { info, replaced }
  })
