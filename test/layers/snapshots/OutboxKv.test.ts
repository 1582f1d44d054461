import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import { contract } from "../../contracts/snapshots/Outbox.ts"
import { rowOf } from "../../support/durable/shardImages.ts"

contract("OutboxKv over KvMemory", () => OutboxKv.make(KvMemory.make()), { runs: 200 })

contract(
  "OutboxKv over KvSimulated",
  () => OutboxKv.make(KvSimulated.makeWorld({ latency: "none", consistency: "immediate" }).at("here")),
  { runs: 50 }
)

const { id, body, version: stamp } = rowOf("default/a", 1)
const writes = [{ id, body, stamp }]

it.effect("to park is one billed write, to list one list, to read one read", () =>
  Effect.gen(function* () {
    const ledger = LedgerMemory.make(0)
    const outbox = OutboxKv.make(KvMetered.make(KvMemory.make(), ledger, "CACHE_DO_KV"))
    const name = yield* outbox.park([...writes, ...writes], 1)
    yield* outbox.list()
    yield* outbox.read(name)
    yield* outbox.read("gone")
    expect(ledger.report().total.kv).toEqual({ reads: 2, writes: 1, deletes: 0, lists: 1 })
  })
)

it.effect.each([
  ["RateLimited", "RateLimited"],
  ["DailyLimit", "DailyLimit"],
  ["TooLarge", "TooLarge"],
  ["InvocationLimit", "Unavailable"],
  ["Unavailable", "Unavailable"]
] as const)("KV's %s is the outbox's %s, for every operation", ([cause, reason]) =>
  Effect.gen(function* () {
    const outbox = OutboxKv.make(KvFaulty.make(KvMemory.make(), () => ({ kind: "fail", reason: cause })))
    expect(yield* Effect.flip(outbox.park(writes, 1))).toMatchObject({ operation: "park", reason })
    expect(yield* Effect.flip(outbox.list())).toMatchObject({ operation: "list", reason })
    expect(yield* Effect.flip(outbox.read("a"))).toMatchObject({ operation: "read", reason })
  })
)

it.effect("a refused park left nothing; one whose reply was lost is there, under a name that no other park takes", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const faults = KvFaulty.scripted([
      { kind: "fail", reason: "RateLimited" },
      undefined,
      { kind: "lost", reason: "Unavailable" }
    ])
    const outbox = OutboxKv.make(KvFaulty.make(kv, faults))
    yield* Effect.flip(outbox.park(writes, 1))
    expect((yield* outbox.list()).names).toEqual([])
    yield* Effect.flip(outbox.park(writes, 1))
    const again = yield* outbox.park(writes, 1)
    const { names } = yield* outbox.list()
    expect(names.length).toBe(2)
    expect(names).toContain(again)
    for (const name of names) expect(yield* outbox.read(name)).toStrictEqual(writes)
  })
)

it.effect("what is damaged is said to be, and not taken for absent", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const outbox = OutboxKv.make(kv)
    const name = yield* outbox.park(writes, 1)
    const stored = Option.getOrThrow(yield* kv.get(`~~out/${name}`)).value
    yield* kv.put(`~~out/${name}`, stored.subarray(0, -1))
    expect(yield* Effect.flip(outbox.read(name))).toMatchObject({ operation: "read", reason: "Damaged" })
  })
)

it.effect("more than one KV value can hold is refused as too large", () =>
  Effect.gen(function* () {
    const value = new Uint8Array(20 * 1024 * 1024)
    const many = [1, 2].map(() => ({ id, stamp, body: { ...body!, value } }))
    expect((yield* Effect.flip(OutboxKv.make(KvMemory.make()).park(many, 1))).reason).toBe("TooLarge")
  })
)
