import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { run } from "../../support/durable/durablePlay.ts"
import { fairFate, operations, resharding, scenario } from "../../support/durable/durableScenario.ts"
import { runs, seedOr } from "../../support/runs.ts"

const seed = seedOr(1)

/** How often the cases that matter came up. */
const seen: Record<string, number> = {}

/** Lets the test runner breathe between runs. */
const breath = () => new Promise((resume) => setImmediate(resume))

const promised = (sentence: string, plans: ReturnType<typeof scenario>) =>
  it(
    sentence,
    () =>
      fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          for (const [what, times] of Object.entries(run(plan).counts)) seen[what] = (seen[what] ?? 0) + times
          await breath()
        }),
        { numRuns: runs(160), seed }
      ),
    3_600_000
  )

const fair = fc.constant(fairFate)
const sound = fc.constant(undefined)
const refused = fc.constantFrom(
  { kind: "fail", reason: "RateLimited" } as const,
  { kind: "fail", reason: "DailyLimit" } as const,
  undefined
)
const broken = fc.oneof(
  fc.record({ kind: fc.constantFrom("fail" as const, "lost" as const), reason: fc.constant("Unavailable" as const) }),
  fc.record({ kind: fc.constant("hang" as const), applied: fc.boolean() }),
  fc.constant(undefined)
)

describe("the promise of the durable mode:", () => {
  promised(
    "an acknowledged write survives restarts of its object and the end of isolates",
    scenario({ kinds: ["ask", "restart", "die"], faults: sound })
  )

  promised(
    "an acknowledged write survives outages, also those that only some isolates see",
    scenario({ kinds: ["ask", "outage", "sweep", "die"], fates: fair, faults: sound })
  )

  promised(
    "an acknowledged write survives storms of 429 and spent allowances; what KV takes no write of fails visibly",
    scenario({ kinds: ["ask", "outage", "flush", "sweep"], fates: fair, faults: refused })
  )

  promised(
    "a flush that dies at any step leaves a snapshot that is whole, and the shard dirty until there is a newer one",
    scenario({ kinds: ["ask", "flush", "restart", "lose"], fates: fair, faults: broken })
  )

  promised(
    "what was written since the last snapshot is lost with a disk, and only that; what was kept outside comes back",
    scenario({ kinds: ["ask", "flush", "outage", "lose", "sweep"], fates: fair, faults: sound })
  )

  promised(
    "no loader's fill replaces a put, a delete or an invalidation that came after its lease",
    scenario({
      kinds: ["ask", "restart"],
      operations: operations(["load", "set", "delete", "invalidate"]),
      faults: sound
    })
  )

  promised(
    "reads that reach the shard see the latest write that it acknowledged or adopted",
    scenario({
      kinds: ["ask", "outage", "sweep"],
      operations: operations(["get", "getMany", "set", "delete"]),
      faults: sound
    }).map((plan) => ({ ...plan, main: 1, edge: false }))
  )

  promised(
    "reads served by memory or edge are at most their ttl old, plus staleFor, plus graceFor, counted from readAt",
    scenario({
      kinds: ["ask", "outage"],
      operations: operations(["get", "getMany", "load", "set"]),
      faults: sound
    }).map((plan) => ({
      ...plan,
      main: plan.main === 1 ? 2 : plan.main
    }))
  )

  promised(
    "writes through one shard are strictly ordered, whatever becomes of their replies and resends",
    scenario({ kinds: ["ask", "restart"], operations: operations(["get", "set", "delete", "clear"]), faults: sound })
  )

  promised(
    "between a write through the shard and one outside it the clocks decide, and closer than their skew either may win",
    scenario({ kinds: ["ask", "outage", "sweep"], operations: operations(["get", "set", "delete"]), faults: sound })
  )

  promised(
    "invalidated entries never return, and entries that have expired are gone",
    scenario({
      kinds: ["ask", "outage", "sweep", "expire"],
      operations: operations(["get", "set", "invalidate", "load"]),
      faults: sound
    })
  )

  promised(
    "what KV holds and cannot be read is never replaced, and nothing of it is called absent meanwhile",
    scenario({ kinds: ["ask", "flush", "lose", "kv", "restart"], fates: fair, faults: sound })
  )

  promised(
    "an acknowledged write survives two faults at once: objects out of reach, and KV that refuses one kind of operation",
    scenario({
      kinds: ["ask", "outage", "kv", "flush", "sweep", "restart", "die"],
      operations: operations(["get", "getMany", "set", "delete"]),
      faults: sound
    }).map((plan) => ({ ...plan, shards: Math.max(2, plan.shards) }))
  )

  promised(
    "a base and the changes over it, inline or as runs of their own, are as good a snapshot as one of all rows",
    scenario({
      kinds: ["ask", "flush", "flush", "lose"],
      operations: operations(["set", "delete", "invalidate"]),
      fates: fair,
      faults: sound,
      long: true
    }).map((plan) => ({ ...plan, shards: 1, base: plan.seed % 2 === 0 ? ("inline" as const) : ("runs" as const) }))
  )

  promised("all of this holds whatever happens at once", scenario({ long: true }))

  promised("all of this holds while the number of objects changes, too", resharding)

  it("the runs above met what they are about", () => {
    // What few of all runs meet, the few of `npm test` need not.
    const rare = [
      "set failed",
      "arrived ended",
      "arrived unwanted",
      "found in memory stale",
      "found in memory grace",
      "KV refused writes",
      "two faults at once",
      "reshards in part"
    ]
    const whole = runs(100) >= 100
    for (const what of [
      ...(whole ? rare : []),
      "set stored",
      "set outside",
      "delete outside",
      "arrived applied",
      "arrived unchanged",
      "arrived overtaken",
      "found in durable fresh",
      "found in memory fresh",
      "found in edge fresh",
      "found in kv stale",
      "not told",
      "KV refused reads",
      "KV refused lists",
      "RPC retry",
      "RPC reset",
      "RPC overloaded",
      "shard away from all",
      "found in loader fresh",
      "absent in loader fresh",
      "snapshots",
      "snapshots with a new base",
      "snapshots with a run over the base",
      "snapshots of changes alone",
      "disks lost",
      "reshards complete",
      "seals moving",
      "fills applied"
    ]) {
      expect(seen[what] ?? 0, what).toBeGreaterThan(0)
    }
  })
})
