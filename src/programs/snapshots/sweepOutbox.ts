import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { AdoptedNames } from "../../services/snapshots/AdoptedNames.ts"
import { Outbox } from "../../services/snapshots/Outbox.ts"
import { adoptParked } from "./adoptParked.ts"

/**
 * Hands every parked write that was not adopted yet to `adopt`, which brings it to its shard. A name counts as adopted
 * once `adopt` has succeeded with all that lies under it; what fails, or is not visible yet, the next sweep tries
 * again. Fails when the outbox cannot be listed; what was adopted until then stays so.
 */
export const make = <E, R>(adopt: (writes: ReadonlyArray<ShardWrite>) => Effect.Effect<unknown, E, R>) =>
  Effect.map(Effect.all([Outbox, AdoptedNames]), ([outbox, adopted]) =>
    adoptParked(outbox, adopted.unknown, (name, writes) =>
      Effect.zipRight(
        adopt(writes),
        Effect.map(Clock.currentTimeMillis, (now) => adopted.remember(name, now))
      )
    )
  )
