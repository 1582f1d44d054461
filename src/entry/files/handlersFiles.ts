import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { adoptLinks } from "../../programs/files/adoptUpload.ts"
import { presignLinks } from "../../programs/files/presignLinks.ts"
import { removeFile } from "../../programs/files/removeFile.ts"
import { storeFile } from "../../programs/files/storeFile.ts"
import { FileCatalog, type FileRow } from "../../services/files/FileCatalog.ts"
import { FileUsage } from "../../services/files/FileUsage.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { entityTagOf } from "../../services/files/model/Representation.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"
import { AccessSettings } from "../../services/settings/AccessSettings.ts"
import { larder } from "../http/apiLarder.ts"
import { Caller, missing } from "../http/authorize.ts"
import { cursorFrom, ownCursor } from "../http/cursor.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { problem } from "../http/problem.ts"
import { late, prolonged } from "../http/requestBody.ts"
import { files } from "./apiFiles.ts"
import { noSuchFile, refusing } from "./fileProblems.ts"
import { callersOwner, conditionOf, contentTypeOf, expiryOf, keyOf, lengthOf, noParameters } from "./fileRequest.ts"
import { infoHeaders, respond } from "./fileResponse.ts"

const pageFiles = 1000

export const fileJson = ({ expiresAt, updatedAt, ...row }: FileRow) => ({
  ...row,
  updatedAt: isoTime(updatedAt) ?? "",
  expiresAt: expiresAt === undefined ? null : isoTime(expiresAt)
})

const put = Effect.gen(function* () {
  const request = yield* Handlers.WebRequest
  const key = yield* keyOf(request)
  yield* noParameters(request, ["ttl"])
  const expiresAt = yield* expiryOf(request, yield* Clock.currentTimeMillis)
  const contentType = yield* contentTypeOf(request)
  const condition = yield* conditionOf(request)
  const encoding = request.headers.get("Content-Encoding")
  if (encoding !== null && encoding !== "identity") {
    return yield* Effect.fail(
      problem("unsupported-media-type", "send the bytes as they are to be kept, without Content-Encoding")
    )
  }
  const owner = yield* callersOwner
  const length = lengthOf(request)
  const body = request.body ?? new Uint8Array(0)
  const patience = prolonged((yield* AccessSettings).bodyDeadline, request)
  const { info, replaced } = yield* Effect.timeoutFail(
    Effect.disconnect(refusing(storeFile({ owner, key, body, length, contentType, expiresAt, condition }))),
    { duration: patience, onTimeout: () => late(patience) }
  )
  ;(yield* FileUsage).count(owner, info.bytes, 0)
  return new Response(null, { status: replaced ? 204 : 201, headers: infoHeaders(info) })
})

const remove = Effect.gen(function* () {
  const request = yield* Handlers.WebRequest
  const key = yield* keyOf(request)
  yield* noParameters(request)
  const condition = yield* conditionOf(request)
  const owner = yield* callersOwner
  if (condition !== undefined) {
    const store = yield* ObjectStore
    const found = yield* refusing(store.head(objectKeyOf(owner, key)))
    const { match } = condition
    const tag = Option.isSome(found) ? found.value.etag : undefined
    if (tag === undefined || match === "none" || (match !== "any" && !match.includes(tag))) {
      return yield* Effect.fail(problem("condition-failed", "the file is not the one that the condition names"))
    }
  }
  if (!(yield* refusing(removeFile(owner, key)))) return yield* Effect.fail(noSuchFile)
  return new Response(null, { status: 204 })
})

export const layer = Handlers.group(larder.add(files), "files", (handlers) =>
  handlers
    .handle("list", ({ urlParams: { cursor, limit = pageFiles, prefix = "" } }) =>
      Effect.gen(function* () {
        const owner = yield* callersOwner
        yield* refusing(adoptLinks(owner))
        const now = yield* Clock.currentTimeMillis
        const catalog = yield* FileCatalog
        const from = yield* ownCursor(owner, cursor)
        const rows = yield* refusing(catalog.list(owner, { prefix, after: from.cursor, limit: limit + 1 }, now))
        const page = rows.slice(0, limit)
        const more = rows.length > limit ? { cursor: cursorFrom(owner, page.at(-1)!.key) } : {}
        return { files: page.map((row) => ({ ...fileJson(row), etag: entityTagOf(row, "identity") })), ...more }
      })
    )
    .handleRaw("read", () =>
      Effect.gen(function* () {
        const request = yield* Handlers.WebRequest
        const key = yield* keyOf(request)
        yield* noParameters(request)
        return yield* respond(request, yield* callersOwner, key)
      })
    )
    .handleRaw("put", () => put)
    .handleRaw("delete", () => remove)
    .handle("presign", ({ payload: { links: wanted } }) =>
      Effect.gen(function* () {
        const refused = wanted.some(({ method }) => method === "PUT") ? missing(yield* Caller, "write") : undefined
        if (refused !== undefined) return yield* Effect.fail(refused)
        const owner = yield* callersOwner
        const links = yield* refusing(presignLinks(owner, wanted))
        return {
          links: links.map(({ expiresAt, headers, url }, i) => ({
            method: wanted[i]!.method,
            key: wanted[i]!.key,
            url,
            expiresAt: isoTime(expiresAt) ?? "",
            ...(wanted[i]!.method === "PUT" ? { headers } : {})
          }))
        }
      })
    )
)
