import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as RecordedModeKv from "../../../src/layers/migration/RecordedModeKv.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"

it.effect("gives what was written last, and nothing before that", () =>
  Effect.gen(function* () {
    const recorded = RecordedModeKv.make(KvMemory.make())
    expect(yield* recorded.read).toBeUndefined()
    for (const record of [
      { mode: "kv", to: "durable", cursor: "durable.copy.x", unsettled: true },
      { mode: "durable", again: 600_000, objects: true },
      { mode: "kv" }
    ] as const) {
      yield* recorded.write(record)
      expect(yield* recorded.read).toStrictEqual(record)
    }
  })
)

it.effect("waits for the second in which KV takes one write to a key", () =>
  Effect.gen(function* () {
    const kv = KvFaulty.make(KvMemory.make(), KvFaulty.scripted([{ kind: "fail", reason: "RateLimited" }]))
    const recorded = RecordedModeKv.make(kv)
    const writing = yield* Effect.fork(recorded.write({ mode: "kv" }))
    yield* TestClock.adjust("1100 millis")
    yield* Fiber.join(writing)
    expect(yield* recorded.read).toStrictEqual({ mode: "kv" })
  })
)

it.effect("says so when it cannot read what is there, or KV fails", () =>
  Effect.gen(function* () {
    const store = KvMemory.make()
    yield* store.put("~~mode", bytes('{"mode":"r2"}'))
    expect(yield* Effect.flip(RecordedModeKv.make(store).read)).toMatchObject({ reason: "Damaged" })
    const failing = RecordedModeKv.make(KvFaulty.make(store, () => ({ kind: "fail", reason: "Unavailable" })))
    expect(yield* Effect.flip(failing.read)).toMatchObject({ operation: "read", reason: "Unavailable" })
    expect(yield* Effect.flip(failing.write({ mode: "kv" }))).toMatchObject({ operation: "write" })
  })
)
