import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { brokenKeyRule } from "../../services/files/model/FileKey.ts"
import { maxFileBytes, maxLinks } from "../../services/files/model/FileLimits.ts"
import { maxLinkSeconds } from "../../services/files/PresignedUrls.ts"
import { brokenContentTypeRule } from "../../services/store/model/ContentType.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody, wholeNumber } from "../http/jsonBody.ts"

export const time = Schema.String.annotations({ description: "ISO 8601" })

export const FileName = Schema.String.pipe(
  Schema.filter((key) => brokenKeyRule(key) ?? true, {
    identifier: "FileName",
    jsonSchema: { minLength: 1, maxLength: 512, description: "UTF-8, 1 to 512 bytes, no empty segment, no . or .." }
  })
)

export const MediaType = Schema.String.pipe(
  Schema.filter((type) => brokenContentTypeRule(type) ?? true, {
    identifier: "MediaType",
    jsonSchema: { minLength: 3, maxLength: 255, description: "type/subtype" }
  })
)

const FileBytes = wholeNumber(0, maxFileBytes)

export const File = Schema.Struct({
  key: Schema.String,
  bytes: Schema.Number,
  storedBytes: Schema.Number.annotations({ description: "compressed: what R2 bills" }),
  contentType: Schema.String,
  etag: Schema.String,
  updatedAt: time,
  expiresAt: Schema.NullOr(time)
}).annotations({ identifier: "File" })

const Listed = Schema.Struct({ files: Schema.Array(File), cursor: optional(Schema.String) }).annotations({
  identifier: "Files"
})

const LinkWanted = Schema.Struct({
  method: Schema.Literal("GET", "PUT"),
  key: FileName,
  expiresIn: wholeNumber(1, maxLinkSeconds).annotations({ description: "seconds" }),
  contentType: optional(MediaType),
  contentLength: optional(FileBytes)
}).annotations({ identifier: "LinkWanted", description: "a PUT needs contentType and contentLength: both are signed" })

const LinksWanted = Schema.Struct({
  links: Schema.Array(LinkWanted).pipe(Schema.minItems(1), Schema.maxItems(maxLinks))
}).annotations({ identifier: "LinksWanted" })

const Links = Schema.Struct({
  links: Schema.Array(
    Schema.Struct({
      method: Schema.Literal("GET", "PUT"),
      key: Schema.String,
      url: Schema.String,
      expiresAt: time,
      headers: optional(Schema.Record({ key: Schema.String, value: Schema.String }))
    })
  )
}).annotations({ identifier: "Links" })

export const noSuchFile = refusal(404, "no such file, or it has expired")

export const content = HttpApiSchema.Uint8Array().annotations({ description: "the content, or a part of it" })

const list = HttpApiEndpoint.get("list", "/api/v1/files")
  .setUrlParams(
    Schema.Struct({
      prefix: optional(Schema.String.pipe(Schema.maxLength(512))),
      cursor: optional(Schema.String.pipe(Schema.maxLength(2048))),
      limit: optional(Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, 1000)))
    })
  )
  .addSuccess(Listed)

const presign = HttpApiEndpoint.post("presign", "/api/v1/files/presign")
  .setPayload(jsonBody(LinksWanted))
  .addSuccess(Links)
  .annotate(Access, "read")

const failedCondition = refusal(412, "the condition does not hold")

const read = <P extends `/${string}`>(path: P) =>
  HttpApiEndpoint.get("read", path)
    .addSuccess(content)
    .addError(noSuchFile)
    .addError(failedCondition)
    .addError(refusal(416, "the range lies outside of the file"))

const put = <P extends `/${string}`>(path: P) =>
  HttpApiEndpoint.put("put", path)
    .setUrlParams(Schema.Struct({ ttl: optional(Schema.String.annotations({ description: "whole seconds" })) }))
    .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 201, decode: () => undefined })))
    .addError(failedCondition)
    .addError(refusal(413, "the body is too large"))

const remove = <P extends `/${string}`>(path: P) =>
  HttpApiEndpoint.del("delete", path)
    .addSuccess(Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 204, decode: () => undefined })))
    .addError(noSuchFile)
    .addError(failedCondition)

const everyName = "/api/v1/files/*"

/** As it is served: a name may hold slashes. Content is streamed, past HttpApi's own encoding. */
export const files = HttpApiGroup.make("files")
  .add(list)
  .add(read(everyName))
  .add(put(everyName))
  .add(remove(everyName))
  .add(presign)

const oneName = "/api/v1/files/:key"

const path = Schema.Struct({
  key: Schema.String.annotations({ description: "the file's name, percent-encoded; slashes may stay as they are" })
})

/** The same for clients and documentation. */
export const documentedFiles = HttpApiGroup.make("files")
  .add(list)
  .add(read(oneName).setPath(path))
  .add(put(oneName).setPath(path))
  .add(remove(oneName).setPath(path))
  .add(presign)
