import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Shard } from "../../services/durable/Shard.ts"
import { Outbox, OutboxError } from "../../services/snapshots/Outbox.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"
import { adoptParked } from "./adoptParked.ts"

/**
 * Takes in the newest snapshot, and with `owns` the parked writes whose id it says yes to, wherever their version is
 * the higher one: nothing newer is lost, and running it again changes nothing. How many rows it took in. Fails, leaving
 * what it took, when the snapshot cannot be had or not all of the outbox be read; another run does the rest.
 */
export const make = (name: string, owns?: (id: string) => boolean) =>
  Effect.map(Effect.all([Shard, Snapshots, Outbox]), ([shard, snapshots, outbox]) => {
    const done = new Set<string>()

    const adopt = (owned: (id: string) => boolean) =>
      Effect.gen(function* () {
        let taken = 0
        const swept = yield* adoptParked(
          outbox,
          (names) => names.filter((parked) => !done.has(parked)),
          (parked, writes) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              const own = writes.filter(({ id }) => owned(id))
              taken += shard.apply(own, now).filter(({ outcome }) => outcome === "applied").length
              done.add(parked)
            })
        )
        if (!swept.complete || swept.failed > 0) yield* new OutboxError({ operation: "read", reason: "Unavailable" })
        done.clear()
        return taken
      })

    return Effect.gen(function* () {
      let merged = 0
      yield* snapshots.load(name, (part) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          merged += shard.merge(part, now)
        })
      )
      return owns === undefined ? merged : merged + (yield* adopt(owns))
    })
  })
