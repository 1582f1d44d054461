import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { brokenTagsRule, maxTagCharacters, maxTags } from "../../services/store/model/Tags.ts"
import { refusal } from "../http/apiProblem.ts"
import { wholeNumber } from "../http/jsonBody.ts"
import { brokenKeyRule, maxTtlSeconds } from "../http/parameters.ts"

/** A key that KV itself would take. */
export const Key = Schema.String.pipe(
  Schema.filter((key) => brokenKeyRule(key) ?? true, {
    identifier: "Key",
    jsonSchema: { minLength: 1, maxLength: 512, description: 'UTF-8, 1 to 512 bytes, neither "." nor ".."' }
  })
)

const withoutTtl =
  "without it an entry of `default` lives for ever, as with `KV.put`, and one of any other collection as long as that collection's policy says (`ttlSeconds` of `/api/v1/cache/metadata`; 1 hour where it says nothing)"

export const TtlSeconds = wholeNumber(1, maxTtlSeconds).annotations({
  identifier: "TtlSeconds",
  description: `life in whole seconds, 1 to 31,536,000; ${withoutTtl}`
})

export const Tags = Schema.Array(
  Schema.String.pipe(
    Schema.filter((tag) => brokenTagsRule([tag]) ?? true, {
      jsonSchema: { minLength: 1, maxLength: maxTagCharacters, description: "no comma, no control character" }
    })
  )
).pipe(Schema.minItems(1), Schema.maxItems(maxTags))

/** A key as it stands in a path. */
const KeySegment = Schema.transform(Schema.String, Key, {
  strict: true,
  decode: decodeURIComponent,
  encode: encodeURIComponent
}).annotations({ jsonSchema: { type: "string", description: "the key, percent-encoded" } })

const path = Schema.Struct({ collection: Schema.String, key: KeySegment })

const text = optional(Schema.String)

const cached = Schema.Struct({
  "if-match": text,
  "if-none-match": text,
  "if-modified-since": text,
  "if-unmodified-since": text
})

/** Judged by the object of the key together with the write. */
const guarded = { "if-match": text, "if-none-match": text, "if-unmodified-since": text }

const unmet = refusal(412, "the entry is not as the condition has it, and was left as it is")

const bytes = HttpApiSchema.Uint8Array().annotations({
  description: "the value, under the Content-Type it was put with"
})

const notFound = refusal(404, "no such entry, or no such collection")

const word = <const W extends string>(status: number, text: W, description: string) =>
  Schema.Literal(text).pipe(HttpApiSchema.asEmpty({ status, decode: () => text }), Schema.annotations({ description }))

const kept = word(202, "kept", "kept, but not yet where it belongs: `Larder-Acknowledged` says how")

/** The hot route. Its handlers are in `entries.ts`, outside HttpApi. */
export const entries = HttpApiGroup.make("entries")
  .add(
    HttpApiEndpoint.get("get", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setHeaders(cached)
      .addSuccess(bytes)
      .addSuccess(word(304, "not-modified", "the headers of the 200"))
      .addError(notFound)
      .addError(refusal(412, "the entry is not as `If-Match` or `If-Unmodified-Since` has it"))
  )
  .add(
    HttpApiEndpoint.head("head", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setHeaders(cached)
      .addSuccess(HttpApiSchema.Empty(200).annotations({ description: "the same headers without the value" }))
      .addSuccess(word(304, "not-modified", "the headers of the 200"))
      .addError(notFound)
      .addError(refusal(412, "the entry is not as `If-Match` or `If-Unmodified-Since` has it"))
  )
  .add(
    HttpApiEndpoint.put("put", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setUrlParams(
        Schema.Struct({
          ttl: Schema.optionalWith(
            Schema.NumberFromString.pipe(Schema.compose(TtlSeconds)).annotations({
              jsonSchema: {
                type: "integer",
                minimum: 1,
                maximum: maxTtlSeconds,
                description: `life in whole seconds, 1 to 31,536,000; ${withoutTtl}`
              }
            }),
            { exact: true }
          ),
          tags: Schema.optionalWith(
            Schema.split(",")
              .pipe(Schema.compose(Tags))
              .annotations({ jsonSchema: { type: "string", description: "separated by commas" } }),
            { exact: true }
          )
        })
      )
      .setHeaders(Schema.Struct({ "content-type": text, ...guarded }))
      .setPayload(bytes)
      .addSuccess(word(201, "created", "a new entry"))
      .addSuccess(word(204, "replaced", "an entry this isolate knew was replaced"))
      .addSuccess(kept)
      .addError(unmet)
      .addError(refusal(422, "a condition in KV mode"))
      .addError(refusal(404, "no such collection"))
      .addError(refusal(413, "the value is too large"))
      .addError(refusal(415, "the value came with a Content-Encoding"))
  )
  .add(
    HttpApiEndpoint.del("delete", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setHeaders(Schema.Struct(guarded))
      .addSuccess(word(204, "deleted", "there is no such entry any more"))
      .addError(unmet)
      .addError(refusal(422, "a condition in KV mode"))
      .addSuccess(kept)
      .addError(refusal(404, "no such collection"))
  )
