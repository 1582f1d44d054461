import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { mostShards } from "../../services/durable/model/Topology.ts"
import { Access, BodyOptional } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody, wholeNumber } from "../http/jsonBody.ts"
import { Counts, ObjectCounts } from "../monitoring/apiData.ts"

const count = Schema.Int.pipe(Schema.nonNegative())

const Mode = Schema.Literal("kv", "durable")

const Migrate = Schema.Struct({
  to: optional(Mode.annotations({ description: "the mode whose store is to be filled; the one in force without it" })),
  dryRun: optional(
    Schema.Boolean.annotations({ description: "say what it will bill, and do nothing; true without it" })
  ),
  cursor: optional(Schema.String.annotations({ description: "of an answer that was not complete" }))
}).annotations({ identifier: "Migrate" })

const outcome = {
  to: Mode,
  from: Schema.Literal("kv", "durable", "snapshot").annotations({
    description: "`snapshot` when the objects could not be reached"
  }),
  dryRun: Schema.Boolean,
  entries: count.annotations({ description: "living entries that were looked at" }),
  copied: count.annotations({ description: "handed over; in a dry run, at most" }),
  dropped: count.annotations({ description: "removed: deleted or invalidated since they were handed over" }),
  refused: count.annotations({ description: "not taken just now: run it again" }),
  settled: Schema.Boolean.annotations({ description: "false when another pass is needed" }),
  billed: Schema.Struct({ kv: Counts, durableObject: ObjectCounts }).annotations({
    description: "by this isolate's ledger, with whatever else it did meanwhile; in a dry run, what is expected"
  }),
  usd: Schema.Number.annotations({ description: "`billed` at list price" })
}

const Migrated = Schema.Struct({ ...outcome, complete: Schema.Literal(true), cursor: Schema.Null }).annotations({
  identifier: "Migrated"
})

const MigratedInPart = Schema.Struct({
  ...outcome,
  complete: Schema.Literal(false),
  cursor: Schema.String.annotations({ description: "send it with the next request" })
}).annotations({
  identifier: "MigratedInPart",
  ...HttpApiSchema.annotations({ status: 202, description: "this invocation's operations are spent: go on" })
})

const Reshard = Schema.Struct({
  shards: wholeNumber(1, mostShards).annotations({
    description: "how many objects are to share the keys"
  }),
  dryRun: optional(
    Schema.Boolean.annotations({ description: "say what it will bill, and do nothing; true without it" })
  )
}).annotations({ identifier: "Reshard" })

const resharding = {
  from: count.annotations({ description: "shards that had the keys before" }),
  to: count,
  dryRun: Schema.Boolean,
  moved: count.annotations({ description: "rows, of entries and deletes, that this run handed over" }),
  left: count.annotations({ description: "rows that the objects before still keep" }),
  billed: outcome.billed,
  usd: outcome.usd
}

const Resharded = Schema.Struct({ ...resharding, complete: Schema.Literal(true) }).annotations({
  identifier: "Resharded"
})

const ReshardedInPart = Schema.Struct({ ...resharding, complete: Schema.Literal(false) }).annotations({
  identifier: "ReshardedInPart",
  ...HttpApiSchema.annotations({ status: 202, description: "a dry run, or not all of it yet: send the same again" })
})

const Restore = Schema.Struct({
  snapshot: optional(
    Schema.Literal("newest", "previous", "readable").annotations({
      description:
        "`newest` without it; `previous`: the one before, or the one that can be read where the other cannot; `readable`: of both, all that can be read, where both need what is damaged or gone"
    })
  )
})

const noObjects = refusal(409, "this Worker has no Durable Objects")

const BufferFlushed = Schema.Struct({
  flushed: count.annotations({ description: "buffered writes that KV took" }),
  kept: count.annotations({ description: "those that it did not take just now: they stay buffered" })
}).annotations({ identifier: "BufferFlushed" })

export const admin = HttpApiGroup.make("admin")
  .add(
    HttpApiEndpoint.post("flush", "/api/v1/admin/flush")
      .addSuccess(
        Schema.Struct({
          flushed: count.annotations({ description: "shards that wrote a snapshot" }),
          buffered: optional(BufferFlushed.annotations({ description: "where this isolate had buffered writes" }))
        })
      )
      .addError(noObjects)
      .annotate(Access, "admin")
  )
  .add(
    HttpApiEndpoint.post("restore", "/api/v1/admin/restore")
      .setUrlParams(Restore)
      .addSuccess(Schema.Struct({ taken: count.annotations({ description: "rows that were taken in" }) }))
      .addError(noObjects)
      .annotate(Access, "admin")
  )
  .add(
    HttpApiEndpoint.post("migrate", "/api/v1/admin/migrate")
      .setPayload(jsonBody(Migrate))
      .addSuccess(Migrated)
      .addSuccess(MigratedInPart)
      .addError(noObjects)
      .addError(refusal(422, "not the shape of a migration: `errors` says where"))
      .annotate(Access, "admin")
      .annotate(BodyOptional, true)
  )
  .add(
    HttpApiEndpoint.post("reshard", "/api/v1/admin/reshard")
      .setPayload(jsonBody(Reshard))
      .addSuccess(Resharded)
      .addSuccess(ReshardedInPart)
      .addError(refusal(409, "no Durable Objects, or keys are moving to another number of them"))
      .addError(refusal(422, "not the shape of a reshard: `errors` says where"))
      .annotate(Access, "admin")
  )
  .add(
    HttpApiEndpoint.post("flushBuffered", "/api/v1/admin/cron/flush")
      .addSuccess(BufferFlushed)
      .annotate(Access, "admin")
  )
  .add(
    HttpApiEndpoint.post("prefetch", "/api/v1/admin/cron/prefetch")
      .addSuccess(
        Schema.Struct({
          loaded: Schema.Boolean.annotations({ description: "whether others had learned something" }),
          saving: Schema.Literal("saved", "unchanged", "early", "unpaid", "failed").annotations({
            description: "`early`: too soon after the last time; `unpaid`: keeping it would cost more than it brings"
          }),
          warmed: count.annotations({ description: "entries brought into memory for the quarter of an hour to come" })
        })
      )
      .annotate(Access, "admin")
  )
