import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileCatalog, type Reservation } from "../../services/files/FileCatalog.ts"
import { FileSettings, quotaOf } from "../../services/files/FileSettings.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { partBytes, uploadMillis } from "../../services/files/model/FileLimits.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"
import { expiresName, rowOf } from "./storeFile.ts"

/** `Absent`: no such upload of this owner. `WrongPart`: no part of it, or not of its size. `Missing`: parts are. */
export class UploadError extends Data.TaggedError("UploadError")<{
  readonly operation: "part" | "complete"
  readonly reason: "Absent" | "WrongPart" | "Missing"
  /** What a part must have, or the parts that are missing. */
  readonly detail: string
}> {}

export interface NewUpload {
  readonly owner: string
  readonly key: string
  readonly bytes: number
  readonly contentType: string
  readonly expiresAt: number | undefined
}

export const partsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / partBytes))

const sizeOfPart = (bytes: number, part: number): number =>
  part < partsOf(bytes) ? partBytes : bytes - (partsOf(bytes) - 1) * partBytes

/** Begins an upload whose parts may come in any order, and again, within seven days. */
export const startUpload = ({ bytes, contentType, expiresAt, key, owner }: NewUpload) =>
  Effect.gen(function* () {
    const catalog = yield* FileCatalog
    const store = yield* ObjectStore
    const now = yield* Clock.currentTimeMillis
    const reservation: Reservation = {
      id: crypto.randomUUID(),
      owner,
      key,
      kind: "parts",
      bytes,
      contentType,
      uploadId: undefined,
      fileExpiresAt: expiresAt,
      createdAt: now,
      expiresAt: now + uploadMillis
    }
    yield* catalog.reserve([reservation], quotaOf(yield* FileSettings), now)
    const metadata = expiresAt === undefined ? {} : { [expiresName]: String(expiresAt) }
    yield* store.createUpload(objectKeyOf(owner, key), { contentType, metadata }).pipe(
      Effect.flatMap((uploadId) => catalog.setUploadId(reservation.id, uploadId)),
      Effect.onError(() => Effect.ignore(catalog.release(reservation.id)))
    )
    return reservation
  })

/** The upload and what of it has arrived. */
export const findUpload = (owner: string, id: string) =>
  Effect.gen(function* () {
    const catalog = yield* FileCatalog
    const found = yield* catalog.reservation(owner, id)
    if (Option.isNone(found) || found.value.kind !== "parts" || found.value.uploadId === undefined) {
      return yield* new UploadError({ operation: "part", reason: "Absent", detail: "" })
    }
    return { upload: found.value, uploadId: found.value.uploadId, parts: yield* catalog.parts(id) }
  })

/** How many bytes the part must have; fails where there is no such part. */
export const expectPart = (upload: Reservation, part: number) => {
  const parts = partsOf(upload.bytes)
  return Number.isInteger(part) && part >= 1 && part <= parts
    ? Effect.succeed(sizeOfPart(upload.bytes, part))
    : Effect.fail(new UploadError({ operation: "part", reason: "WrongPart", detail: `parts are 1 to ${parts}` }))
}

export const storePart = (upload: Reservation, uploadId: string, part: number, body: Uint8Array) =>
  Effect.gen(function* () {
    const size = yield* expectPart(upload, part)
    if (body.byteLength !== size) {
      const detail = `part ${part} has ${size} bytes, and this body ${body.byteLength}`
      return yield* new UploadError({ operation: "part", reason: "WrongPart", detail })
    }
    const store = yield* ObjectStore
    const { etag } = yield* store.uploadPart(objectKeyOf(upload.owner, upload.key), uploadId, part, body)
    yield* (yield* FileCatalog).setPart(upload.id, { part, bytes: size, etag })
  })

export const completeUpload = (owner: string, id: string) =>
  Effect.gen(function* () {
    const { parts, upload, uploadId } = yield* findUpload(owner, id)
    const have = new Set(parts.map(({ part }) => part))
    const missing = Array.from({ length: partsOf(upload.bytes) }, (_, i) => i + 1).filter((part) => !have.has(part))
    if (missing.length > 0) {
      const detail = `missing: ${missing.slice(0, 20).join(", ")}${missing.length > 20 ? " …" : ""}`
      return yield* new UploadError({ operation: "complete", reason: "Missing", detail })
    }
    const store = yield* ObjectStore
    const info = yield* store.completeUpload(
      objectKeyOf(owner, upload.key),
      uploadId,
      parts.map(({ etag, part }) => ({ partNumber: part, etag }))
    )
    yield* (yield* FileCatalog).settle(upload, rowOf(upload.key, info), yield* Clock.currentTimeMillis)
    return info
  })

export const abortUpload = (owner: string, id: string) =>
  Effect.gen(function* () {
    const { upload, uploadId } = yield* findUpload(owner, id)
    yield* (yield* ObjectStore).abortUpload(objectKeyOf(owner, upload.key), uploadId)
    yield* (yield* FileCatalog).release(id)
  })
