import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody } from "../http/jsonBody.ts"
import { Key, Tags, TtlSeconds } from "./apiEntries.ts"

const name = Schema.Struct({ collection: Schema.String })

const count = Schema.Int.pipe(Schema.nonNegative())

const moment = Schema.NullOr(Schema.String).annotations({ description: "ISO 8601; null for never" })

/** Any JSON; text stays text, everything else is kept as its JSON text under `application/json`. */
const Value = Schema.Unknown.annotations({ description: "text or any other JSON value" })

const entityTags = Schema.String.annotations({ description: "`*`, or entity tags in quotes, separated by commas" })

/** As the headers of a single write; in durable mode only. */
const conditions = { ifMatch: optional(entityTags), ifNoneMatch: optional(entityTags) }

const SetItem = Schema.Struct({
  key: Key,
  ...conditions,
  value: optional(Value),
  base64: optional(Schema.Uint8ArrayFromBase64).annotations({ description: "bytes, in place of `value`" }),
  contentType: optional(Schema.String).annotations({
    description:
      "`type/subtype`, at most 255 characters, anything else is refused in its row (422); without it, text is text/plain, other JSON application/json, bytes application/octet-stream"
  }),
  ttl: optional(TtlSeconds),
  tags: optional(Tags)
})
  .pipe(
    Schema.filter((item) => "value" in item !== "base64" in item || "give either `value` or `base64`"),
    Schema.filter(
      (item) => typeof item.value !== "string" || item.value.isWellFormed() || "text must be well-formed Unicode"
    )
  )
  .annotations({ identifier: "SetItem" })

const DeleteItem = Schema.Struct({ key: Key, ...conditions }).annotations({ identifier: "DeleteItem" })

export const Batch = jsonBody(
  Schema.Struct({
    get: optional(Schema.Array(Key)),
    set: optional(Schema.Array(SetItem)),
    delete: optional(Schema.Array(Schema.Union(Key, DeleteItem)))
  })
    .pipe(Schema.filter((batch) => Object.keys(batch).length > 0 || "give at least one of `get`, `set` and `delete`"))
    .annotations({
      identifier: "Batch",
      description:
        "Carried out in this order: delete, set, get. Not atomic; every key has its own result, and one with a condition is named once. JSON values are kept, and given back, as they were written."
    })
)

/** Why one key of a batch failed: what a request for it alone would have been answered. */
const ItemProblem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  detail: Schema.String,
  retryAfter: optional(Schema.Number)
})

const GetResult = Schema.Struct({
  key: Schema.String,
  status: Schema.Literal(200, 404, 413, 503).annotations({
    description: "413: too large for a batch, to be read by itself"
  }),
  found: Schema.Boolean,
  again: optional(Schema.Literal(true)).annotations({
    description: "not known now, or the values before it filled the answer (16 MiB): ask for this key again"
  }),
  value: optional(Schema.Unknown.annotations({ description: "as it was set: text, or JSON" })),
  base64: optional(Schema.String).annotations({ description: "the bytes, where they are neither text nor JSON" }),
  contentType: optional(Schema.String),
  etag: optional(Schema.String),
  expiresAt: optional(moment),
  tier: optional(Schema.String),
  problem: optional(ItemProblem)
})

const WriteResult = Schema.Struct({
  key: Schema.String,
  status: Schema.Int.annotations({ description: "what a request for this key alone would be answered" }),
  expiresAt: optional(moment.annotations({ description: "of an entry that was set: its end; null for never" })),
  problem: optional(ItemProblem)
})

export const BatchReply = Schema.Struct({
  get: optional(Schema.Array(GetResult)),
  set: optional(Schema.Array(WriteResult)),
  delete: optional(Schema.Array(WriteResult))
}).annotations({
  identifier: "BatchReply",
  description: "One result per key, in the order of the request; a key to `get` that is named twice is answered once."
})

export const Listing = Schema.Struct({
  keys: Schema.Array(
    Schema.Struct({
      key: Schema.String,
      expiresAt: moment,
      tags: Schema.Array(Schema.String).annotations({
        description: "In KV mode without those of an entry whose tags do not fit into 1,024 bytes of metadata as text."
      })
    })
  ),
  cursor: Schema.NullOr(Schema.String).annotations({ description: "for the next page; null at the end" })
}).annotations({ identifier: "Listing" })

const Cleared = Schema.Struct({ deleted: count, complete: Schema.Literal(false) }).annotations(
  HttpApiSchema.annotations({ status: 202, description: "there is more: send the request again" })
)

export const Invalidated = Schema.Struct({
  tags: Schema.Array(Schema.String),
  boundSeconds: Schema.NullOr(Schema.Number).annotations({
    description: "how long other isolates and locations may still answer with what they hold; null: without bound"
  })
}).annotations({ identifier: "Invalidated" })

const figures = (identifier: string, description: string) =>
  Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
    identifier,
    description
  })

const noSuchCollection = refusal(404, "no such collection")

export const cache = HttpApiGroup.make("cache")
  .add(
    HttpApiEndpoint.get("stats", "/api/v1/cache/stats").addSuccess(
      figures("CacheStats", "tiers, and per collection what was asked and what it cost")
    )
  )
  .add(
    HttpApiEndpoint.get("metadata", "/api/v1/cache/metadata").addSuccess(
      figures("CacheMetadata", "collections with their policies, and the limits in force")
    )
  )
  .add(
    HttpApiEndpoint.post("invalidate", "/api/v1/cache/invalidate")
      .setPayload(jsonBody(Schema.Struct({ tags: Tags }).annotations({ identifier: "Invalidate" })))
      .addSuccess(Invalidated)
      .addError(refusal(422, "no tags, or not tags"))
  )
  .add(
    HttpApiEndpoint.post("batch", "/api/v1/cache/:collection/batch")
      .setPath(name)
      .setPayload(Batch)
      .addSuccess(BatchReply)
      .addError(noSuchCollection)
      .addError(refusal(413, "too many keys, or too many bytes"))
      .addError(refusal(422, "not the shape of a batch: `errors` says where, and unknown fields are named"))
      .annotate(Access, "read")
  )
  .add(
    HttpApiEndpoint.get("list", "/api/v1/cache/:collection")
      .setPath(name)
      .setUrlParams(
        Schema.Struct({
          prefix: optional(Schema.String),
          cursor: optional(Schema.String),
          limit: optional(
            Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, 1000)).annotations({
              jsonSchema: {
                type: "integer",
                minimum: 1,
                maximum: 1000,
                description: "keys of a page; 1,000 without it"
              }
            })
          )
        })
      )
      .addSuccess(Listing)
      .addError(noSuchCollection)
  )
  .add(
    HttpApiEndpoint.del("clear", "/api/v1/cache/:collection")
      .setPath(name)
      .addSuccess(
        HttpApiSchema.Empty(204).annotations({
          description: "all gone; `Larder-Deleted` says how many, where they are deleted one by one"
        })
      )
      .addSuccess(Cleared)
      .addError(noSuchCollection)
  )
