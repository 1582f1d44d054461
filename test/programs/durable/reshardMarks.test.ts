import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { reshardDurable } from "../../../src/programs/durable/reshardDurable.ts"
import { sealedTo } from "../../../src/services/durable/model/Topology.ts"
import { RecordedTopology } from "../../../src/services/durable/RecordedTopology.ts"
import { Resharding, type ReshardState, type ReshardStep } from "../../../src/services/durable/Resharding.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { compareStamps, type Stamp } from "../../../src/services/store/model/Entry.ts"
import { runs } from "../../support/runs.ts"

const stamp = fc.record({ wall: fc.nat(5), counter: fc.nat(1), writer: fc.constantFrom("a", "b") })
const marks = fc
  .uniqueArray(fc.tuple(fc.constantFrom("t", "u", "v"), stamp), { selector: ([tag]) => tag, maxLength: 3 })
  .map((all) => new Map<string, Stamp>(all))

it.effect.prop(
  "before rows move, the new objects are told of each tag that all the old ones have a mark of, the lowest of them",
  [fc.array(marks, { minLength: 1, maxLength: 4 })],
  ([all]) =>
    Effect.gen(function* () {
      const said: Array<ReshardStep> = []
      let seal: ReshardState["seal"]
      const first = { generation: 0, shards: all.length }
      const resharding: Resharding["Type"] = {
        first,
        flush: () => Effect.succeed(true),
        step: ({ shard }, step) =>
          Effect.sync(() => {
            said.push(step)
            if (step._tag === "Seal") seal = sealedTo(step.to)
            return {
              seal,
              moved: 0,
              dropped: 0,
              stats: { entries: 1, tombstones: 0, bytes: 0 },
              ...(step._tag === "Marks" ? { marks: all[shard]! } : {})
            }
          })
      }
      yield* reshardDurable({ shards: all.length + 1, dryRun: false, operations: 0 }).pipe(
        Effect.provideService(Resharding, resharding),
        Effect.provideService(RecordedTopology, { read: Effect.succeed(undefined), write: () => Effect.void }),
        Effect.provideService(Ledger, LedgerMemory.make(0))
      )
      const expected = new Map<string, Stamp>()
      for (const [tag] of all[0]!) {
        const known = all.flatMap((of) => of.get(tag) ?? [])
        if (known.length === all.length) expected.set(tag, [...known].sort(compareStamps)[0]!)
      }
      const announced = said.filter((step) => step._tag === "Announce")
      expect(announced.length).toBe(all.length)
      for (const { marks } of announced) expect(marks).toStrictEqual(expected)
      const order = said.map(({ _tag }) => _tag).filter((tag) => tag !== "Look")
      const places = ["Seal", "Marks", "Announce", "Move"] as const
      expect(order).toStrictEqual(places.flatMap((tag) => Array(all.length).fill(tag)))
    }),
  { fastCheck: { numRuns: runs(100) } }
)
