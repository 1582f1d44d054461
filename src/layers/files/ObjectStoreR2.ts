import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Compression } from "../../services/compression/Compression.ts"
import { dataKey, indexKey, storedOf } from "../../services/files/model/StoredObject.ts"
import { limits, ObjectStore, ObjectStoreError } from "../../services/files/ObjectStore.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { indexShelf } from "./internal/indexShelf.ts"
import { KnownObjects } from "./internal/KnownObjects.ts"
import { metered } from "./internal/meteredBucket.ts"
import { asking, checked } from "./internal/objectErrors.ts"
import { openR2 } from "./internal/r2Open.ts"
import { putR2 } from "./internal/r2Put.ts"

/** The part of an R2 bucket's binding that is used. */
export type Bucket = Pick<
  R2Bucket,
  "head" | "get" | "put" | "delete" | "list" | "createMultipartUpload" | "resumeMultipartUpload"
>

/** Objects under `data/` of a bucket, and the block indexes of long compressed ones under `index/`. */
export const make = (
  bucket: Bucket,
  compression: Context.Tag.Service<Compression>,
  known = new KnownObjects()
): Context.Tag.Service<ObjectStore> => ({
  open: (key, expected) => checked("open", [key], () => openR2(bucket, compression, known, key, expected)),

  head: (key) =>
    checked("head", [key], () =>
      asking("head", async () =>
        Option.map(Option.fromNullable(await bucket.head(dataKey(key))), (object) => storedOf(object).info)
      )
    ),

  put: (key, body, options) => checked("put", [key], () => putR2(bucket, compression, key, body, options), options),

  delete: (keys) =>
    checked("delete", keys, () =>
      keys.length === 0
        ? Effect.void
        : asking("delete", () => bucket.delete([...keys.map(dataKey), ...keys.map(indexKey)]))
    ),

  list: ({ cursor, limit, prefix = "" } = {}) =>
    asking("list", async () => {
      const options = { prefix: dataKey(prefix), limit: limit ?? limits.listKeys, ...withMetadata }
      const page = await bucket.list(cursor === undefined ? options : { ...options, cursor })
      return {
        objects: page.objects.map((object) => storedOf(object).info),
        cursor: page.truncated ? page.cursor : undefined
      }
    }),

  copy: (from, to) =>
    checked("copy", [from, to], () =>
      asking("copy", async () => {
        const found = await bucket.get(dataKey(from))
        if (found === null) return false
        const index = found.size > limits.partBytes ? await bucket.get(indexKey(from)) : null
        if (index !== null) await bucket.put(indexKey(to), await index.arrayBuffer())
        await bucket.put(dataKey(to), found.body, {
          ...(found.httpMetadata === undefined ? {} : { httpMetadata: found.httpMetadata }),
          ...(found.customMetadata === undefined ? {} : { customMetadata: found.customMetadata })
        })
        return true
      })
    ),

  createUpload: (key, options) =>
    checked(
      "createUpload",
      [key],
      () =>
        asking("createUpload", async () => {
          const { uploadId } = await bucket.createMultipartUpload(dataKey(key), {
            httpMetadata: { contentType: options.contentType },
            customMetadata: { ...options.metadata }
          })
          return uploadId
        }),
      options
    ),

  uploadPart: (key, uploadId, partNumber, body) =>
    body.byteLength === 0 || body.byteLength > limits.partBytes
      ? Effect.fail(new ObjectStoreError({ operation: "uploadPart", reason: "BadPart" }))
      : checked("uploadPart", [key], () =>
          asking("uploadPart", () => bucket.resumeMultipartUpload(dataKey(key), uploadId).uploadPart(partNumber, body))
        ),

  completeUpload: (key, uploadId, parts) =>
    checked("completeUpload", [key], () =>
      asking("completeUpload", async () => {
        const object = await bucket.resumeMultipartUpload(dataKey(key), uploadId).complete([...parts])
        return storedOf(object).info
      })
    ),

  abortUpload: (key, uploadId) =>
    checked("abortUpload", [key], () =>
      Effect.catchIf(
        asking("abortUpload", () => bucket.resumeMultipartUpload(dataKey(key), uploadId).abort()),
        ({ reason }) => reason === "NoSuchUpload",
        () => Effect.void
      )
    )
})

export const layer = (bucket: Bucket): Layer.Layer<ObjectStore, never, Compression | Ledger> =>
  Layer.effect(
    ObjectStore,
    Effect.map(Effect.all([Compression, Ledger]), ([compression, ledger]) =>
      make(metered(bucket, ledger), compression, new KnownObjects(indexShelf(() => caches.default)))
    )
  )

// internal

/** Part of R2's API that the declarations leave out. */
const withMetadata = { include: ["httpMetadata", "customMetadata"] }
