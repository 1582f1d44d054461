import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ReplayDesk from "../../../src/entry/replay/replayDesk.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import { replayWorkload } from "../../../src/programs/replay/replayWorkload.ts"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { throttleStates } from "../../../src/services/market/Throttle.ts"
import type { Replayed } from "../../../src/services/replay/model/Replayed.ts"
import * as ReplayedValue from "../../../src/services/replay/model/ReplayedValue.ts"
import * as Trace from "../../../src/services/replay/model/Trace.ts"
import { type Isolate, ReplayFleet } from "../../../src/services/replay/ReplayFleet.ts"
import { Workload, type WorkloadRequest } from "../../../src/services/replay/Workload.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { zeroStamp } from "../../../src/services/store/model/Entry.ts"
import {
  type Acknowledgement,
  type Lookup,
  resultOf,
  type Store,
  StoreError,
  type Tier
} from "../../../src/services/store/Store.ts"

const immortal = { isolates: 1, locations: 1, meanLife: Number.POSITIVE_INFINITY, seed: 1 }

/** Requests as `operation key @milliseconds`, separated by blanks: `rA@0 wB@3`. */
const traced = (requests: string): Workload["Type"] => {
  const trace = Trace.builder()
  for (const request of requests.split(" ")) {
    const [, letter, key, at] = /^([rwd])(\w+)@(\d+)$/.exec(request)!
    const operation = ({ r: "read", w: "write", d: "delete" } as const)[letter as "r" | "w" | "d"]
    trace.add({ at: Trace.epoch + Number(at), key: key!, size: 1, operation, session: undefined })
  }
  return Trace.toWorkload(trace.finish("t"), define("default"))
}

interface Script {
  /** Milliseconds that an operation takes; it reads or writes when it ends. */
  readonly takes?: (operation: "get" | "set" | "delete", key: string) => number
  readonly tier?: Tier
  readonly acknowledged?: Acknowledgement
  /** Whether a write that is acknowledged is also kept. */
  readonly keeps?: boolean
  /** When a write says it ends, and when the table forgets whatever it holds. */
  readonly expiresAt?: number
  readonly forgetsAt?: number
  readonly fails?: (operation: "get" | "set" | "delete", key: string) => boolean
  /** Whether keys are there before the first write. */
  readonly empty?: boolean
  readonly desk?: () => Pick<Isolate, "desk" | "throttlesInMemory">
}

const noDesk: Pick<Isolate, "desk" | "throttlesInMemory"> = {
  desk: () => {
    throw new Error("this workload has no sweeps")
  },
  throttlesInMemory: false
}

/** A fleet whose stores all write to one table; `started` counts them. */
const scripted = (script: Script = {}) => {
  const table = new Map<string, Uint8Array | undefined>()
  const world = { started: 0, killed: 0 }
  const held = (key: string, now: number) =>
    now >= (script.forgetsAt ?? Number.POSITIVE_INFINITY)
      ? undefined
      : table.has(key)
        ? table.get(key)
        : script.empty
          ? undefined
          : ReplayedValue.encode(0, 1, key.charCodeAt(0) - 65)
  const doing = (operation: "get" | "set" | "delete", key: string) =>
    Effect.zipRight(
      Effect.sleep(script.takes?.(operation, key) ?? 0),
      script.fails?.(operation, key) ? Effect.fail(new StoreError({ operation, reason: "Unavailable" })) : Effect.void
    )
  const entry = (value: Uint8Array) => ({
    value,
    contentType: "",
    tags: [],
    stamp: zeroStamp,
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  })
  const lookup = (value: Uint8Array | undefined): Lookup => ({
    entry: value && entry(value),
    tier: script.tier ?? "kv",
    readAt: 0,
    freshness: "fresh",
    freshUntil: 0
  })
  const written = {
    stamp: zeroStamp,
    acknowledged: script.acknowledged ?? "stored",
    replaced: false,
    expiresAt: script.expiresAt ?? Number.POSITIVE_INFINITY
  }
  const keep = (key: string, value: Uint8Array | undefined) => {
    if (script.keeps !== false) table.set(key, value)
  }
  const get = (key: string) =>
    Effect.zipWith(doing("get", key), Clock.currentTimeMillis, (_, now) => lookup(held(key, now)))
  const set = (key: string, value: Uint8Array) =>
    Effect.map(doing("set", key), () => {
      keep(key, value)
      return written
    })
  const store: Partial<Store["Type"]> = {
    held: () => undefined,
    get: (_, key) => get(key),
    getMany: (_, keys) => Effect.forEach(keys, (key) => Effect.map(Effect.either(get(key)), resultOf)),
    set: (_, key, value) => set(key, value),
    writeMany: (_, changes) =>
      Effect.forEach(changes, (change) =>
        "remove" in change
          ? Effect.dieMessage("no workload removes many")
          : Effect.map(Effect.either(set(change.key, change.value)), resultOf)
      ),
    delete: (_, key) =>
      Effect.map(doing("delete", key), () => {
        keep(key, undefined)
        return written.acknowledged
      })
  }
  const isolates: ReplayFleet["Type"] = {
    atRest: () => ({}),
    keeps: "kv",
    lagMillis: 0,
    start: () =>
      Effect.sync((): Isolate => {
        world.started += 1
        return {
          store: store as Store["Type"],
          ...(script.desk?.() ?? noDesk),
          flush: Effect.void,
          invoke: (effect) => effect,
          kill: Effect.sync(() => {
            world.killed += 1
          })
        }
      }),
    current: (_, key) => Effect.map(Clock.currentTimeMillis, (now) => held(key, now)),
    settle: Effect.void,
    predicted: undefined
  }
  return { isolates, world }
}

const replayed = (
  workload: Workload["Type"],
  isolates: ReplayFleet["Type"] | ((ledger: Ledger["Type"]) => ReplayFleet["Type"]),
  fleet = immortal
) => {
  const ledger = LedgerMemory.make(0)
  const exit = VirtualTime.make(workload.request(0).at, 1).run(
    replayWorkload(fleet).pipe(
      Effect.provideService(Workload, workload),
      Effect.provideService(ReplayFleet, typeof isolates === "function" ? isolates(ledger) : isolates),
      Effect.provideService(Ledger, ledger)
    )
  )
  return Exit.getOrElse(exit, (cause) => {
    throw new Error("the replay failed", { cause })
  })
}

const figuresOf = (requests: string, script?: Script): Replayed =>
  replayed(traced(requests), scripted(script).isolates).figures

describe("replayWorkload", () => {
  it("measures each request from its arrival to its answer, though they overlap", () => {
    const takes = (_: string, key: string): number => (key === "slow" ? 100 : 7)
    const { latencyMs } = figuresOf("rslow@0 rquick@1 rquick@50 rquick@99", { takes })
    expect(latencyMs).toEqual({ p50: 7, p95: 100, p99: 100 })
  })

  it("divides the answers of a tier by all reads", () => {
    expect(figuresOf("rA@0 rB@1 wA@2 rA@3", { tier: "edge" }).hitRatio).toEqual({
      memory: 0,
      edge: 1,
      durable: 0,
      kv: 0
    })
    const fails = (operation: string, key: string) => operation === "get" && key === "B"
    expect(figuresOf("rA@0 rB@1", { fails }).hitRatio.kv).toBe(0.5)
    expect(figuresOf("wA@0").hitRatio.kv).toBe(0)
  })

  it("calls no read stale that began before the write was acknowledged", () => {
    const takes = (operation: string): number => (operation === "set" ? 50 : 1)
    expect(figuresOf("wA@0 rA@10 rA@60 wA@100 rA@200", { takes }).staleReads).toBe(0)
  })

  it("counts the reads that see less than what was acknowledged before they began", () => {
    const keeps = { keeps: false }
    expect(figuresOf("rA@0 wA@1 rA@2 rA@3 rB@3", keeps).staleReads).toBe(2)
    expect(figuresOf("dA@1 rA@2", keeps).staleReads).toBe(1)
    expect(figuresOf("dA@1 rA@2 wA@3 rA@4").staleReads).toBe(0)
  })

  it("says how old stale reads were, and which of them the policy does not allow", () => {
    const bound = 60_000
    const ages = { keeps: false }
    expect(figuresOf("wA@1 rA@60001", ages)).toMatchObject({
      staleReads: 1,
      staleBeyondPolicy: 0,
      staleness: { default: { reads: 1, oldest: bound, bound } }
    })
    expect(figuresOf("wA@1 wA@5 rA@60002 rA@70001 rB@9", ages)).toMatchObject({
      staleReads: 2,
      staleBeyondPolicy: 2,
      staleness: { default: { reads: 2, oldest: 70_000, bound } }
    })
    const buffered = { ...ages, acknowledged: "buffered" } as const
    expect(figuresOf("wA@1 rA@70001", buffered)).toMatchObject({ staleBeyondPolicy: 0, staleReads: 1 })
  })

  it("counts what was acknowledged and is gone, by what was promised", () => {
    expect(figuresOf("wA@0 wA@1 dB@2 rA@3", { keeps: false })).toMatchObject({ lostWrites: 3, bufferedLost: 0 })
    const buffered = { keeps: false, acknowledged: "buffered" } as const
    expect(figuresOf("wA@0 wB@1", buffered)).toMatchObject({ lostWrites: 0, bufferedWrites: 2, bufferedLost: 2 })
    expect(figuresOf("wA@0 wA@1", { acknowledged: "outside" })).toMatchObject({ lostWrites: 0, bufferedWrites: 0 })
  })

  it("misses nothing that has expired", () => {
    const expiring = { expiresAt: Trace.epoch + 10 }
    const forgetful = { ...expiring, forgetsAt: Trace.epoch + 10 }
    expect(figuresOf("wA@0 rA@20", forgetful)).toMatchObject({ staleReads: 0, lostWrites: 0 })
    expect(figuresOf("wA@0 rA@20", { forgetsAt: Trace.epoch + 10 })).toMatchObject({ staleReads: 1, lostWrites: 1 })
  })

  it("loses nothing where the store failed to acknowledge, and says how much failed", () => {
    const { isolates } = scripted({ fails: (operation) => operation !== "get" })
    const { failed, figures } = replayed(traced("wA@0 dB@1 rA@2"), isolates)
    expect(failed).toBe(2)
    expect(figures).toMatchObject({ lostWrites: 0, staleReads: 0 })
  })

  it("runs the sweep of the alerts itself: states read and written together, each failure on its own", () => {
    const requests: ReadonlyArray<WorkloadRequest> = [
      { kind: "sweep", at: Trace.epoch, states: [0, 1], failures: [2] },
      { kind: "sweep", at: Trace.epoch + 300_000, states: [0, 1], failures: [2] }
    ]
    const state = (number: number) => ({
      collection: alertStates.collection,
      key: `00000000-0000-4000-8000-00000000000${number}`
    })
    const workload: Workload["Type"] = {
      name: "sweeps",
      length: requests.length,
      request: (index) => requests[index]!,
      entries: [state(0), state(1), { collection: throttleStates.collection, key: "unavailable/p" }].map((entry) => ({
        ...entry,
        size: 1,
        initial: false
      }))
    }
    const takes = (operation: string): number => (operation === "get" ? 10 : 100)
    const sweeps = (keeps: boolean) =>
      replayed(
        workload,
        scripted({ takes, keeps, empty: true, desk: ReplayDesk.make(workload, defaults, false) }).isolates
      )
    const { failed, figures, wrong } = sweeps(true)
    expect(figures.hitRatio.kv).toBe(1)
    expect(figures.latencyMs.p50).toBe(2 * 10 + 2 * 100 + 110)
    expect(figures).toMatchObject({ staleReads: 0, lostWrites: 0, bound: { kvReads: 4, kvWrites: 4 } })
    expect([failed, wrong]).toEqual([0, 0])
    expect(sweeps(false).figures).toMatchObject({ staleReads: 3, lostWrites: 6 })
  })

  it("replaces isolates as they die, and ends every one", () => {
    const { isolates, world } = scripted()
    const requests = Array.from({ length: 600 }, (_, minute) => `rA@${minute * 60_000}`).join(" ")
    replayed(traced(requests), isolates, { isolates: 4, locations: 2, meanLife: 15 * 60_000, seed: 3 })
    expect(world.started).toBeGreaterThan(4 * 20)
    expect(world.started).toBeLessThan(4 * 60)
    expect(world.killed).toBe(world.started)
  })

  it("samples the cost from the first request to the last, at moments that are the workload's own", () => {
    const requests = Array.from({ length: 1000 }, (_, second) => `rA@${second * 1000}`).join(" ")
    const { samples } = replayed(traced(requests), scripted().isolates)
    expect(samples[0]!.at).toBe(Trace.epoch)
    expect(samples.at(-1)!.at).toBe(Trace.epoch + 999_000)
    expect(samples.length).toBeGreaterThan(300)
  })

  it("compares before the store settles, and bills what that costs", () => {
    const { isolates } = scripted()
    let settled = false
    const settle = Effect.map(Ledger, ({ record }) => {
      settled = true
      record({ tier: "kv", namespace: "n", collection: "~", kind: "writes", billed: 3, calls: 1 })
    })
    const workload = traced("wA@0 rA@10")
    const { figures, samples } = replayed(workload, (ledger) => ({
      ...isolates,
      current: (collection, key) => (settled ? Effect.succeed(undefined) : isolates.current(collection, key)),
      settle: Effect.provideService(settle, Ledger, ledger)
    }))
    expect(figures).toMatchObject({ kv: { writes: 3 }, lostWrites: 0 })
    expect(samples.at(-1)).toEqual({ at: Trace.epoch + 10, operations: 3 })
  })

  it("fails with a request's defect rather than wait for its answer", () => {
    const { isolates } = scripted({
      takes: () => {
        throw new Error("a bug in a store")
      }
    })
    expect(() => replayed(traced("rA@0"), isolates)).toThrow("the replay failed")
  })
})
