import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SavedGeneration } from "../../services/durable/DurableCache.ts"
import { Shard } from "../../services/durable/Shard.ts"
import { Outbox, OutboxError } from "../../services/snapshots/Outbox.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"
import { adoptParked } from "./adoptParked.ts"

/**
 * Takes in a snapshot, wherever its version is the higher one: nothing newer is lost, and running it again
 * changes nothing. How many rows it took in. Fails, leaving what it took, when not all of the snapshot can be read.
 */
export const fromSnapshot = (name: string, saved: SavedGeneration = "newest") =>
  Effect.map(Effect.all([Shard, Snapshots]), ([shard, snapshots]) =>
    Effect.gen(function* () {
      let merged = 0
      yield* snapshots.load(
        name,
        (part) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            merged += shard.merge(part, now)
          }),
        saved
      )
      return merged
    })
  )

/**
 * Takes in the parked writes whose id `owns` says yes to, by their stamps. How many took effect. Fails, leaving what it
 * took, when not all of the outbox can be read; another run does the rest.
 */
export const fromOutbox = (owns: (id: string) => boolean) =>
  Effect.map(Effect.all([Shard, Outbox]), ([shard, outbox]) => {
    const done = new Set<string>()
    return Effect.gen(function* () {
      let taken = 0
      const swept = yield* adoptParked(
        outbox,
        (names) => names.filter((parked) => !done.has(parked)),
        (parked, writes) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const own = writes.filter(({ id }) => owns(id))
            const outcomes = shard.apply(own, now).map(({ outcome }) => outcome)
            taken += outcomes.filter((outcome) => outcome === "applied").length
            if (outcomes.includes("full")) return new OutboxError({ operation: "read", reason: "TooLarge" })
            done.add(parked)
            return Effect.void
          })
      )
      if (!swept.complete || swept.failed > 0) yield* new OutboxError({ operation: "read", reason: "Unavailable" })
      done.clear()
      return taken
    })
  })
