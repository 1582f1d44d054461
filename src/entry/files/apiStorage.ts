import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { maxFileBytes, maxShareSeconds } from "../../services/files/model/FileLimits.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody, wholeNumber } from "../http/jsonBody.ts"
import { maxTtlSeconds } from "../http/parameters.ts"
import { content, File, FileName, MediaType, noSuchFile, time } from "./apiFiles.ts"

const Upload = Schema.Struct({
  id: Schema.String,
  key: Schema.String,
  bytes: Schema.Number,
  partBytes: Schema.Number.annotations({ description: "of every part but the last" }),
  parts: Schema.Number,
  received: Schema.Array(Schema.Number),
  expiresAt: time
}).annotations({ identifier: "Upload" })

const Share = Schema.Struct({ id: Schema.String, key: Schema.String, createdAt: time, expiresAt: time }).annotations({
  identifier: "Share"
})

const Shared = Schema.Struct({ ...Share.fields, url: Schema.String }).annotations({ identifier: "Shared" })

const User = Schema.Struct({
  id: Schema.String.annotations({ description: "the first 128 bits of the SHA-256 of the API key" }),
  name: Schema.NullOr(Schema.String),
  createdAt: time
}).annotations({ identifier: "FileUser" })

const uploadPath = Schema.Struct({ id: Schema.String })

const noSuchUpload = refusal(404, "no such upload")

const Usage = Schema.Struct({
  bytes: Schema.Number,
  storedBytes: Schema.Number,
  objects: Schema.Number,
  reservedBytes: Schema.Number.annotations({ description: "uploads under way, and links that may be put with" }),
  requestsToday: Schema.Number,
  quota: Schema.Struct({ bytes: Schema.Number, objects: Schema.Number, requestsPerDay: Schema.Number }),
  hours: Schema.Array(
    Schema.Struct({ hour: time, requests: Schema.Number, bytesIn: Schema.Number, bytesOut: Schema.Number })
  )
}).annotations({ identifier: "FileUsage" })

const Audit = Schema.Struct({
  audit: Schema.Array(
    Schema.Struct({ at: time, action: Schema.String, key: Schema.String, bytes: Schema.NullOr(Schema.Number) })
  )
}).annotations({ identifier: "FileAudit" })

/** Uploads by parts, share links, and what is used. */
export const storage = HttpApiGroup.make("storage")
  .add(
    HttpApiEndpoint.post("startUpload", "/api/v1/storage/uploads")
      .setPayload(
        jsonBody(
          Schema.Struct({
            key: FileName,
            bytes: wholeNumber(1, maxFileBytes),
            contentType: optional(MediaType),
            ttl: optional(wholeNumber(1, maxTtlSeconds))
          })
        )
      )
      .addSuccess(Upload, { status: 201 })
  )
  .add(
    HttpApiEndpoint.get("upload", "/api/v1/storage/uploads/:id")
      .setPath(uploadPath)
      .addSuccess(Upload)
      .addError(noSuchUpload)
  )
  .add(
    HttpApiEndpoint.put("part", "/api/v1/storage/uploads/:id/parts/:part")
      .setPath(Schema.Struct({ id: Schema.String, part: Schema.String }))
      .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 204, decode: () => undefined })))
      .addError(noSuchUpload)
  )
  .add(
    HttpApiEndpoint.post("completeUpload", "/api/v1/storage/uploads/:id/complete")
      .setPath(uploadPath)
      .addSuccess(File)
      .addError(noSuchUpload)
      .addError(refusal(409, "parts are missing"))
  )
  .add(
    HttpApiEndpoint.del("abortUpload", "/api/v1/storage/uploads/:id")
      .setPath(uploadPath)
      .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 204, decode: () => undefined })))
      .addError(noSuchUpload)
  )
  .add(
    HttpApiEndpoint.post("share", "/api/v1/storage/shares")
      .setPayload(
        jsonBody(
          Schema.Struct({
            key: FileName,
            expiresIn: wholeNumber(1, maxShareSeconds).annotations({ description: "seconds" })
          })
        )
      )
      .addSuccess(Shared, { status: 201 })
      .addError(noSuchFile)
  )
  .add(
    HttpApiEndpoint.get("shares", "/api/v1/storage/shares").addSuccess(Schema.Struct({ shares: Schema.Array(Share) }))
  )
  .add(
    HttpApiEndpoint.del("withdraw", "/api/v1/storage/shares/:id")
      .setPath(uploadPath)
      .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 204, decode: () => undefined })))
      .addError(refusal(404, "no such share"))
  )
  .add(HttpApiEndpoint.get("usage", "/api/v1/storage/usage").addSuccess(Usage))
  .add(HttpApiEndpoint.get("audit", "/api/v1/storage/audit").addSuccess(Audit))
  .add(
    HttpApiEndpoint.get("users", "/api/v1/storage/users").addSuccess(
      Schema.Struct({
        owner: Schema.String.annotations({ description: "whose files the caller's key reads and writes" }),
        users: Schema.Array(User).annotations({ description: "keys that were added to it" })
      })
    )
  )
  .add(
    HttpApiEndpoint.post("addUser", "/api/v1/storage/users")
      .setPayload(
        jsonBody(
          Schema.Struct({
            key: Schema.NonEmptyString.pipe(Schema.maxLength(256)).annotations({ description: "an API key" }),
            name: optional(Schema.String.pipe(Schema.maxLength(100))),
            owner: optional(Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/))).annotations({
              description: "another owner than the caller's; needs the scope admin"
            })
          })
        )
      )
      .addSuccess(User, { status: 201 })
      .addError(refusal(409, "the key has files of its own, or belongs to another owner"))
      .annotate(OpenApi.Summary, "Let another API key read and write the same files")
  )
  .add(
    HttpApiEndpoint.del("removeUser", "/api/v1/storage/users/:id")
      .setPath(uploadPath)
      .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 204, decode: () => undefined })))
      .addError(refusal(404, "no such key"))
  )
  .add(
    HttpApiEndpoint.get("shared", "/s/:token")
      .setPath(Schema.Struct({ token: Schema.String }))
      .addSuccess(content)
      .addError(refusal(404, "the link has expired, was withdrawn, or never was one"))
      .annotate(Access, "public")
  )
