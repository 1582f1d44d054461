import { createHash } from "node:crypto"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { concat } from "../../services/base/model/ByteCodec.ts"
import { Compression } from "../../services/compression/Compression.ts"
import { isWorthKeeping } from "../../services/compression/model/CompressionRules.ts"
import { defaultBlockBytes } from "../../services/compression/model/GzipBlocks.ts"
import {
  limits,
  type ObjectInfo,
  type ObjectOptions,
  ObjectStore,
  type UploadedPart,
  type WriteCondition
} from "../../services/files/ObjectStore.ts"
import { ByteSource, streamOf } from "./internal/ByteSource.ts"
import { asking, checked, errorOf } from "./internal/objectErrors.ts"

interface Kept {
  readonly info: ObjectInfo
  readonly content: Uint8Array
  readonly stored: Uint8Array
}

interface Upload {
  readonly key: string
  readonly options: ObjectOptions
  readonly parts: Map<number, Uint8Array>
}

/** Objects in this isolate's memory, for tests and for trying things. */
export const make = (
  compression: Context.Tag.Service<Compression>,
  now: () => number
): Context.Tag.Service<ObjectStore> => {
  const objects = new Map<string, Kept>()
  const uploads = new Map<string, Upload>()

  const keep = (key: string, content: Uint8Array, options: ObjectOptions, compressed: boolean): ObjectInfo => {
    const packed = compressed ? packedOf(compression, content, options.contentType) : undefined
    const stored = packed ?? content
    const info: ObjectInfo = {
      key,
      bytes: content.byteLength,
      storedBytes: stored.byteLength,
      coding: packed === undefined ? "identity" : "gzip",
      etag: createHash("md5").update(stored).digest("hex"),
      uploadedAt: now(),
      contentType: options.contentType,
      metadata: { ...options.metadata }
    }
    objects.set(key, { info, content, stored })
    return info
  }

  const uploadOf = (operation: "uploadPart" | "completeUpload", key: string, id: string): Upload => {
    const upload = uploads.get(id)
    if (upload === undefined || upload.key !== key) throw errorOf(operation, "NoSuchUpload")
    return upload
  }

  return {
    open: (key) =>
      checked("open", [key], () =>
        Effect.sync(() =>
          Option.map(Option.fromNullable(objects.get(key)), ({ content, info, stored }) => ({
            info,
            read: (coding, { length, offset }) =>
              Effect.sync(() => streamOf((coding === "gzip" ? stored : content).slice(offset, offset + length))),
            close: Effect.void
          }))
        )
      ),

    head: (key) => checked("head", [key], () => Effect.sync(() => Option.fromNullable(objects.get(key)?.info))),

    put: (key, body, options) =>
      checked(
        "put",
        [key],
        () =>
          asking("put", async () => {
            const length = body instanceof Uint8Array ? body.byteLength : options.length
            const source = new ByteSource(body instanceof Uint8Array ? streamOf(body) : body, options.limit, length)
            try {
              const content = await source.take(Number.POSITIVE_INFINITY)
              if (!holds(options.condition, objects.get(key)?.info)) throw errorOf("put", "ConditionFailed")
              return keep(key, content.slice(), options, true)
            } catch (cause) {
              source.cancel()
              throw cause
            }
          }),
        options
      ),

    delete: (keys) =>
      checked("delete", keys, () =>
        Effect.sync(() => {
          for (const key of keys) objects.delete(key)
        })
      ),

    list: ({ cursor, limit = limits.listKeys, prefix = "" } = {}) =>
      Effect.sync(() => {
        const all = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(byUtf8)
        const from = cursor === undefined ? 0 : all.findIndex((key) => byUtf8(key, cursor) > 0)
        const page = from === -1 ? [] : all.slice(from, from + limit)
        return {
          objects: page.map((key) => objects.get(key)!.info),
          cursor: from !== -1 && from + limit < all.length ? page.at(-1) : undefined
        }
      }),

    copy: (from, to) =>
      checked("copy", [from, to], () =>
        Effect.sync(() => {
          const kept = objects.get(from)
          if (kept === undefined) return false
          objects.set(to, { ...kept, info: { ...kept.info, key: to, uploadedAt: now() } })
          return true
        })
      ),

    createUpload: (key, options) =>
      checked(
        "createUpload",
        [key],
        () =>
          Effect.sync(() => {
            const id = crypto.randomUUID()
            uploads.set(id, { key, options, parts: new Map() })
            return id
          }),
        options
      ),

    uploadPart: (key, id, partNumber, body) =>
      asking("uploadPart", async () => {
        if (body.byteLength === 0 || body.byteLength > limits.partBytes) throw errorOf("uploadPart", "BadPart")
        uploadOf("uploadPart", key, id).parts.set(partNumber, body.slice())
        return { partNumber, etag: etagOf(body) }
      }),

    completeUpload: (key, id, parts) =>
      asking("completeUpload", async () => {
        const upload = uploadOf("completeUpload", key, id)
        const bodies = parts.map((part) => bodyOf(upload, part))
        if (bodies.length === 0 || bodies.slice(0, -1).some((body) => body.byteLength !== limits.partBytes)) {
          throw errorOf("completeUpload", "BadPart")
        }
        uploads.delete(id)
        return keep(key, concat(bodies), upload.options, false)
      }),

    abortUpload: (_key, id) =>
      Effect.sync(() => {
        uploads.delete(id)
      })
  }
}

export const layer: Layer.Layer<ObjectStore, never, Compression> = Layer.effect(
  ObjectStore,
  Effect.map(Effect.all([Compression, Effect.clock]), ([compression, clock]) =>
    make(compression, () => clock.unsafeCurrentTimeMillis())
  )
)

// internal

const packedOf = (
  compression: Context.Tag.Service<Compression>,
  content: Uint8Array,
  contentType: string
): Uint8Array | undefined => {
  const blocks = compression.blocks({ contentType, beginning: content, blockBytes: defaultBlockBytes })
  if (blocks === undefined) return undefined
  const packed = concat([...blocks.writer.push(content), ...blocks.writer.end()])
  const kept = isWorthKeeping(content.byteLength, packed.byteLength)
  blocks.settle(kept)
  return kept ? packed : undefined
}

const holds = (condition: WriteCondition | undefined, info: ObjectInfo | undefined): boolean => {
  if (condition === undefined) return true
  const { match } = condition
  return match === "none" ? info === undefined : info !== undefined && (match === "any" || match.includes(info.etag))
}

const etagOf = (body: Uint8Array): string => createHash("md5").update(body).digest("hex")

const bodyOf = (upload: Upload, { etag, partNumber }: UploadedPart): Uint8Array => {
  const body = upload.parts.get(partNumber)
  if (body === undefined || etagOf(body) !== etag) throw errorOf("completeUpload", "BadPart")
  return body
}

const encoder = new TextEncoder()

const byUtf8 = (a: string, b: string): number => {
  const [x, y] = [encoder.encode(a), encoder.encode(b)]
  for (let i = 0; i < Math.min(x.byteLength, y.byteLength); i++) {
    if (x[i] !== y[i]) return x[i]! - y[i]!
  }
  return x.byteLength - y.byteLength
}
