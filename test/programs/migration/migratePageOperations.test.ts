import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { callsBetween } from "../../../src/services/ledger/model/MigrationBill.ts"
import type { Mode } from "../../../src/services/migration/RecordedMode.ts"
import { otherThan } from "../../../src/services/migration/RecordedMode.ts"
import { begin, put, textIn } from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"
import { sizesAround } from "../../support/sizes.ts"
import { virtually } from "../../support/virtually.ts"

const pageEntries = 10

/** What one page may call at most: a put and a note for each entry, and what is read and listed for all of them. */
const onePage = 2 * pageEntries + 30

it.effect.prop(
  "a run to either mode makes no more calls than it is allowed, or those of one page; the runs together hand over all",
  [
    fc.constantFrom<Mode>("kv", "durable"),
    sizesAround(pageEntries, 4),
    fc.constantFrom(0, onePage - 1, onePage, onePage + 1, 2 * onePage, 900)
  ],
  ([to, count, operations]) =>
    virtually(
      Effect.gen(function* () {
        const world = yield* ModesWorld.make()
        yield* begin
        for (let number = 0; number < count; number++) yield* put(world, otherThan(to), `k${number}`)
        let cursor: string | undefined
        let [copied, longest] = [0, 0]
        do {
          const before = world.ledger.report().total
          const part = yield* world.migrate({
            to,
            operations,
            pageEntries,
            ...(cursor === undefined ? {} : { cursor })
          })
          longest = Math.max(longest, callsBetween(before, world.ledger.report().total))
          copied += part.copied
          cursor = part.cursor
        } while (cursor !== undefined)
        expect(copied).toBe(count)
        expect(longest).toBeLessThanOrEqual(Math.max(operations, onePage))
        for (let number = 0; number < count; number++) expect(yield* textIn(world, to, `k${number}`)).toBeDefined()
      })
    ),
  { fastCheck: { numRuns: runs(30) } }
)
