import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { Outbox, parkedFor } from "../../services/snapshots/Outbox.ts"

/** Parked writes in a Map, for tests and replays. */
export const make = (): Context.Tag.Service<Outbox> => {
  const parked = new Map<string, { readonly writes: ReadonlyArray<ShardWrite>; readonly expiresAt: number }>()
  let serial = 0
  const live = Effect.map(Clock.currentTimeMillis, (now) => {
    for (const [name, { expiresAt }] of parked) if (expiresAt <= now) parked.delete(name)
    return parked
  })
  return {
    park: (writes, now) =>
      Effect.map(Clock.currentTimeMillis, (current) => {
        const name = `${String(now).padStart(15, "0")}-${String(serial++).padStart(10, "0")}`
        parked.set(name, { writes: [...writes], expiresAt: current + Duration.toMillis(parkedFor) })
        return name
      }),
    list: () => Effect.map(live, (all) => ({ names: [...all.keys()].sort(), cursor: undefined })),
    read: (name) => Effect.map(live, (all) => all.get(name)?.writes)
  }
}

export const layer: Layer.Layer<Outbox> = Layer.sync(Outbox, make)
