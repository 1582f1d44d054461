import { readFileSync } from "node:fs"
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
import { runs } from "../../support/runs.ts"

contract("OutboxKv over KvMemory", () => OutboxKv.make(KvMemory.make()), { runs: runs(200) })

contract(
  "OutboxKv over KvSimulated",
  () => OutboxKv.make(KvSimulated.makeWorld({ latency: "none", consistency: "immediate" }).at("here")),
  { runs: runs(50) }
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

it.effect("what one KV value cannot hold lies in several, and is not there before all of them are", () =>
  Effect.gen(function* () {
    const value = crypto.getRandomValues(new Uint8Array(60_000))
    const many = Array.from({ length: 5 }, (_, at) => ({ id: `default/${at}`, stamp, body: { ...body!, value } }))
    const kv = KvMemory.make()
    const outbox = OutboxKv.make(kv, { frameBytes: 100_000, partBytes: 50_000 })
    const name = yield* outbox.park(many, 1)
    expect(yield* outbox.list()).toEqual({ names: [name], cursor: undefined })
    expect(yield* outbox.read(name)).toStrictEqual(many)
    yield* kv.delete(`~~outp/${name}/1`)
    expect(yield* outbox.read(name)).toBeUndefined()
  })
)

it.effect("a park that dies between its parts leaves nothing that is listed", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const faults = KvFaulty.scripted([undefined, { kind: "fail", reason: "Unavailable" }])
    const outbox = OutboxKv.make(KvFaulty.make(kv, faults), { partBytes: 20 })
    yield* Effect.flip(outbox.park(writes, 1))
    expect((yield* outbox.list()).names).toEqual([])
  })
)

it.effect("a value as large as KV takes one is parked and read back", () =>
  Effect.gen(function* () {
    const value = new Uint8Array(25 * 1024 * 1024)
    for (let at = 0; at < value.byteLength; at += 65_536) crypto.getRandomValues(value.subarray(at, at + 65_536))
    const outbox = OutboxKv.make(KvMemory.make())
    const name = yield* outbox.park([{ id, stamp, body: { ...body!, value } }], 1)
    const [write] = (yield* outbox.read(name))!
    expect(Buffer.compare(write!.body!.value, value)).toBe(0)
  })
)

it.effect("what was parked before there were parts is read as it was", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const file = new URL("../../fixtures/snapshots/outbox-writes-1.bin", import.meta.url)
    yield* kv.put("~~out/000001700000000000-before", new Uint8Array(readFileSync(file)))
    expect(yield* OutboxKv.make(kv).read("000001700000000000-before")).toStrictEqual([
      {
        id: "default/a",
        stamp: { wall: 1_700_000_000_000, counter: 2, writer: "isolate" },
        body: {
          value: new TextEncoder().encode("parked"),
          contentType: "text/plain",
          tags: ["t"],
          expiresAt: Number.POSITIVE_INFINITY,
          loadMillis: 7
        }
      },
      { id: "default/b", stamp: { wall: 1_700_000_000_001, counter: 0, writer: "isolate" }, body: undefined }
    ])
  })
)
