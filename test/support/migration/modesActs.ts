import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { Migrated } from "../../../src/programs/migration/migrateMode.ts"
import type { Mode } from "../../../src/services/migration/RecordedMode.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import * as ModesWorld from "./modesWorld.ts"

const [plain] = ModesWorld.collections

/** Some time after the beginning of all clocks. */
export const begin = TestClock.adjust("100 days")

export const tick = TestClock.adjust("1 millis")

export const modes: ReadonlyArray<Mode> = ["kv", "durable"]

/** Operations of an isolate in the mode, each a millisecond after what was before. */
export const put = (world: ModesWorld.World, mode: Mode, key: string, value = key, tags: ReadonlyArray<string> = []) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.set(plain, key, bytes(value), { tags }))
  )

export const remove = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.delete(plain, key))
  )

export const invalidate = (world: ModesWorld.World, mode: Mode, tag: string) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.invalidateTags([tag]))
  )

/** What an isolate in the mode reads. */
export const entryIn = (world: ModesWorld.World, mode: Mode, key: string, collection = plain) =>
  Effect.map(
    world.in(mode, (store) => store.get(collection, key)),
    ({ entry }) => entry
  )

export const textIn = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.map(entryIn(world, mode, key), (entry) => entry && new TextDecoder().decode(entry.value))

/** Runs until nothing is left, `pageEntries` at a time, and gives the last part. */
export const finish = (world: ModesWorld.World, to: Mode, options: { readonly operations?: number } = {}) =>
  Effect.gen(function* () {
    let part: Migrated | undefined
    do {
      part = yield* world.migrate({ to, pageEntries: 2, cursor: part?.cursor, ...options })
    } while (part.cursor !== undefined)
    return part
  })
