import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { findShare, shareFile } from "../../programs/files/shareFile.ts"
import { rowOf } from "../../programs/files/storeFile.ts"
import {
  abortUpload,
  completeUpload,
  expectPart,
  findUpload,
  partsOf,
  startUpload,
  storePart
} from "../../programs/files/uploadByParts.ts"
import type { Part, Reservation } from "../../services/files/FileCatalog.ts"
import { FileSettings, quotaOf } from "../../services/files/FileSettings.ts"
import { FileShares, type Share } from "../../services/files/FileShares.ts"
import { FileUsage } from "../../services/files/FileUsage.ts"
import { type FileUser, FileUsers } from "../../services/files/FileUsers.ts"
import { userIdOf } from "../../services/files/model/FileKey.ts"
import { partBytes } from "../../services/files/model/FileLimits.ts"
import { entityTagOf } from "../../services/files/model/Representation.ts"
import { AccessSettings } from "../../services/settings/AccessSettings.ts"
import { larder } from "../http/apiLarder.ts"
import { Caller, missing } from "../http/authorize.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { problem } from "../http/problem.ts"
import { readBody } from "../http/requestBody.ts"
import { storage } from "./apiStorage.ts"
import { noSuchFile, refusing } from "./fileProblems.ts"
import { callersOwner, noParameters, takeFrom } from "./fileRequest.ts"
import { respond } from "./fileResponse.ts"
import { fileJson } from "./handlersFiles.ts"

const auditRows = 200

/** How long an HTTP cache may answer for a share link, and so how long one may outlive its withdrawal. */
const maxAgeSeconds = 60

const uploadJson = ({ bytes, expiresAt, id, key }: Reservation, parts: ReadonlyArray<Part>) => ({
  id,
  key,
  bytes,
  partBytes,
  parts: partsOf(bytes),
  received: parts.map(({ part }) => part),
  expiresAt: isoTime(expiresAt) ?? ""
})

const shareJson = ({ createdAt, expiresAt, id, key }: Share) => ({
  id,
  key,
  createdAt: isoTime(createdAt) ?? "",
  expiresAt: isoTime(expiresAt) ?? ""
})

const userJson = ({ createdAt, id, name }: FileUser) => ({
  id,
  name: name ?? null,
  createdAt: isoTime(createdAt) ?? ""
})

const hourMillis = 3_600_000

const noSuchShare = problem("no-such-share", "the link has expired, was withdrawn, or never was one")

/** A name in a header: ASCII for all, and UTF-8 for those who read RFC 8187. */
const dispositionOf = (key: string): string => {
  const name = key.slice(key.lastIndexOf("/") + 1)
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (it) => `%${it.charCodeAt(0).toString(16)}`)
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`
}

export const layer = Handlers.group(larder.add(storage), "storage", (handlers) =>
  handlers
    .handle("startUpload", ({ payload: { bytes, contentType = "application/octet-stream", key, ttl } }) =>
      Effect.gen(function* () {
        const owner = yield* callersOwner
        const now = yield* Clock.currentTimeMillis
        const expiresAt = ttl === undefined ? undefined : now + ttl * 1000
        return uploadJson(yield* refusing(startUpload({ owner, key, bytes, contentType, expiresAt })), [])
      })
    )
    .handle("upload", ({ path: { id } }) =>
      Effect.gen(function* () {
        const { parts, upload } = yield* refusing(findUpload(yield* callersOwner, id))
        return uploadJson(upload, parts)
      })
    )
    .handleRaw("part", ({ path: { id, part } }) =>
      Effect.gen(function* () {
        const request = yield* Handlers.WebRequest
        yield* noParameters(request)
        const owner = yield* callersOwner
        const { upload, uploadId } = yield* refusing(findUpload(owner, id))
        const number = /^\d{1,5}$/.test(part) ? Number(part) : 0
        const size = yield* refusing(expectPart(upload, number))
        const body = yield* readBody(request, { bytes: size, deadline: (yield* AccessSettings).bodyDeadline })
        yield* refusing(storePart(upload, uploadId, number, body))
        ;(yield* FileUsage).count(owner, body.byteLength, 0)
        return new Response(null, { status: 204 })
      })
    )
    .handle("completeUpload", ({ path: { id } }) =>
      Effect.gen(function* () {
        const info = yield* refusing(completeUpload(yield* callersOwner, id))
        const key = info.key.slice(info.key.indexOf("/") + 1)
        return { ...fileJson(rowOf(key, info)), etag: entityTagOf(info, "identity") }
      })
    )
    .handle("abortUpload", ({ path: { id } }) =>
      Effect.flatMap(callersOwner, (owner) => refusing(abortUpload(owner, id)))
    )
    .handle("share", ({ payload: { expiresIn, key } }) =>
      Effect.gen(function* () {
        const shared = yield* refusing(shareFile(yield* callersOwner, key, expiresIn))
        if (Option.isNone(shared)) return yield* Effect.fail(noSuchFile)
        const { share, token } = shared.value
        const { origin } = new URL((yield* Handlers.WebRequest).url)
        return { ...shareJson(share), url: `${origin}/s/${token}` }
      })
    )
    .handle("shares", () =>
      Effect.gen(function* () {
        const owner = yield* callersOwner
        const shares = yield* refusing((yield* FileShares).list(owner, yield* Clock.currentTimeMillis))
        return { shares: shares.map(shareJson) }
      })
    )
    .handle("withdraw", ({ path: { id } }) =>
      Effect.gen(function* () {
        const withdrawn = yield* refusing((yield* FileShares).withdraw(yield* callersOwner, id))
        if (!withdrawn) return yield* Effect.fail(noSuchShare)
      })
    )
    .handle("usage", () =>
      Effect.gen(function* () {
        const owner = yield* callersOwner
        const quota = quotaOf(yield* FileSettings)
        const report = yield* refusing((yield* FileUsage).report(owner, quota, yield* Clock.currentTimeMillis))
        const { hours, quota: own, ...rest } = report
        return {
          ...rest,
          quota: { bytes: own.maxBytes, objects: own.maxObjects, requestsPerDay: own.maxRequests },
          hours: hours.map(({ hour, ...counts }) => ({ hour: isoTime(hour * hourMillis) ?? "", ...counts }))
        }
      })
    )
    .handle("audit", () =>
      Effect.gen(function* () {
        const rows = yield* refusing((yield* FileUsage).audit(yield* callersOwner, auditRows))
        return { audit: rows.map(({ at, bytes, ...row }) => ({ at: isoTime(at) ?? "", bytes: bytes ?? null, ...row })) }
      })
    )
    .handle("users", () =>
      Effect.gen(function* () {
        const owner = yield* callersOwner
        const users = yield* refusing((yield* FileUsers).list(owner))
        return { owner, users: users.map(userJson) }
      })
    )
    .handle("addUser", ({ payload: { key, name, owner: other } }) =>
      Effect.gen(function* () {
        const own = yield* callersOwner
        const refused = other === undefined || other === own ? undefined : missing(yield* Caller, "admin")
        if (refused !== undefined) return yield* refused
        const owner = other ?? own
        const user = { id: userIdOf(key), owner, name, createdAt: yield* Clock.currentTimeMillis }
        if (!(yield* refusing((yield* FileUsers).add(user)))) {
          return yield* problem("key-in-use", "this key has files of its own, or belongs to another owner")
        }
        return userJson(user)
      })
    )
    .handle("removeUser", ({ path: { id } }) =>
      Effect.gen(function* () {
        const removed = yield* refusing((yield* FileUsers).remove(yield* callersOwner, id))
        if (!removed) return yield* problem("no-such-user", "no key of this identifier was added to the caller's owner")
      })
    )
    .handleRaw("shared", ({ path: { token } }) =>
      Effect.gen(function* () {
        const request = yield* Handlers.WebRequest
        const share = yield* refusing(findShare(token))
        if (Option.isNone(share)) return yield* Effect.fail(noSuchShare)
        const { expiresAt, key, owner } = share.value
        yield* takeFrom(owner)
        const left = Math.floor((expiresAt - (yield* Clock.currentTimeMillis)) / 1000)
        return yield* respond(request, owner, key, {
          "Cache-Control": `public, max-age=${Math.min(left, maxAgeSeconds)}`,
          "Content-Disposition": dispositionOf(key),
          "Referrer-Policy": "no-referrer"
        })
      })
    )
)
