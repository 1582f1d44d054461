import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { refusal } from "../http/apiProblem.ts"
import { brokenKeyRule, brokenTagRule, maxTagCharacters, maxTags, maxTtlSeconds } from "../http/parameters.ts"

/** A key that KV itself would take. */
export const Key = Schema.String.pipe(
  Schema.filter((key) => brokenKeyRule(key) ?? true, {
    identifier: "Key",
    jsonSchema: { minLength: 1, maxLength: 512, description: 'UTF-8, 1 to 512 bytes, neither "." nor ".."' }
  })
)

export const TtlSeconds = Schema.Int.pipe(Schema.between(1, maxTtlSeconds)).annotations({
  identifier: "TtlSeconds",
  description: "life in whole seconds, 1 to 31,536,000; the collection's own without it"
})

export const Tags = Schema.Array(
  Schema.String.pipe(
    Schema.filter((tag) => brokenTagRule(tag) ?? true, {
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

const field = (description: string) => optional(Schema.String.annotations({ description }))

const ifMatch = field("entity tags in quotes, one of which the entry has; or `*`: there is one")

const cached = Schema.Struct({
  "if-match": ifMatch,
  "if-none-match": field("entity tags in quotes; 304 if the entry has one of them, or with `*` if there is one"),
  "if-modified-since": field("a date: 304 if the entry was written no later"),
  "if-unmodified-since": field("a date: 412 if the entry was written later")
})

/** Judged by the object of the key together with the write. */
const guarded = {
  "if-match": ifMatch,
  "if-none-match": field("`*`: there is no entry; or entity tags in quotes, none of which it has"),
  "if-unmodified-since": field("a date: the entry was written no later; compared in whole seconds")
}

const unmet = refusal(412, "the entry is not as the condition has it, and was left as it is")

const conditionNote =
  "A condition is judged together with the write, by the object of the key: of many who write under one, one succeeds. It needs durable mode (422 `needs-durable-mode` in KV mode). While the object is out of reach the reply is 503, and the write may have been made."

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
      .addSuccess(
        word(
          304,
          "not-modified",
          "`If-None-Match` names the entry, or it was not written since `If-Modified-Since`; the headers are those of the 200"
        )
      )
      .addError(notFound)
      .addError(refusal(412, "the entry is not as `If-Match` or `If-Unmodified-Since` has it"))
      .annotate(OpenApi.Summary, "Read an entry")
      .annotate(
        OpenApi.Description,
        "`Cache-Status` names the tier that answered, `Age` the seconds since the store gave it, `Expires` its end."
      )
  )
  .add(
    HttpApiEndpoint.head("head", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setHeaders(cached)
      .addSuccess(HttpApiSchema.Empty(200).annotations({ description: "the same headers without the value" }))
      .addSuccess(
        word(
          304,
          "not-modified",
          "`If-None-Match` names the entry, or it was not written since `If-Modified-Since`; the headers are those of the 200"
        )
      )
      .addError(notFound)
      .addError(refusal(412, "the entry is not as `If-Match` or `If-Unmodified-Since` has it"))
      .annotate(OpenApi.Summary, "Ask whether an entry is there")
  )
  .add(
    HttpApiEndpoint.put("put", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setUrlParams(
        Schema.Struct({
          ttl: Schema.optionalWith(
            Schema.NumberFromString.pipe(Schema.compose(TtlSeconds)).annotations({
              jsonSchema: { type: "integer", minimum: 1, maximum: maxTtlSeconds, description: "life in whole seconds" }
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
      .setHeaders(Schema.Struct({ "content-type": optional(Schema.String), ...guarded }))
      .setPayload(bytes)
      .addSuccess(word(201, "created", "a new entry"))
      .addSuccess(word(204, "replaced", "an entry this isolate knew was replaced"))
      .addSuccess(kept)
      .annotate(
        OpenApi.Description,
        `\`Expires\` of the reply is the entry's end; an entry that lives for ever has none. ${conditionNote} The reply to one has the \`ETag\` that the entry has now.`
      )
      .addError(unmet)
      .addError(refusal(422, "a condition in KV mode"))
      .addError(refusal(404, "no such collection"))
      .addError(refusal(413, "the value is too large"))
      .addError(refusal(415, "the value came with a Content-Encoding"))
      .annotate(OpenApi.Summary, "Write an entry")
  )
  .add(
    HttpApiEndpoint.del("delete", "/api/v1/cache/:collection/:key")
      .setPath(path)
      .setHeaders(Schema.Struct(guarded))
      .addSuccess(word(204, "deleted", "there is no such entry any more"))
      .addError(unmet)
      .addError(refusal(422, "a condition in KV mode"))
      .annotate(OpenApi.Description, conditionNote)
      .addSuccess(kept)
      .addError(refusal(404, "no such collection"))
      .annotate(OpenApi.Summary, "Delete an entry")
  )
  .annotate(OpenApi.Description, "Single entries: raw values with their content type.")
