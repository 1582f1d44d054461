import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import type { Fault } from "../../../src/layers/simulation/KvFaulty.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import { type Mode, otherThan } from "../../../src/services/migration/RecordedMode.ts"
import * as ModesWorld from "./modesWorld.ts"

/** One thing that happens; `old`: done by an isolate that still runs the flag before. */
export type SwitchStep =
  | { readonly _: "set"; readonly key: number; readonly old: boolean }
  | { readonly _: "delete"; readonly key: number }
  | { readonly _: "outage"; readonly on: boolean }
  | { readonly _: "cron" }

export interface SwitchPlan {
  readonly seed: number
  /** Of the calls of objects, in order; all is well with those after. */
  readonly fates: ReadonlyArray<ModesWorld.Fate | undefined>
  /** Of the operations of CACHE_KV, and of CACHE_DO_KV. */
  readonly faults: ReadonlyArray<Fault | undefined>
  readonly ownFaults: ReadonlyArray<Fault | undefined>
  readonly phases: ReadonlyArray<{ readonly mode: Mode; readonly steps: ReadonlyArray<SwitchStep> }>
}

const keys = ["a", "b", "c"]
const [plain] = ModesWorld.collections
const start = 1_700_000_000_000

/** Old isolates are gone by then, and the second pass of a switch is yet to come. */
const oldIsolatesFor = 4 * 60_000

/** A cron that hangs is ended by the platform. */
const mostOfACron = "4 minutes"

interface Attempt {
  readonly left: number | "absent"
  acknowledged: boolean
}

/**
 * Plays a plan in virtual time, lets the crons of the last mode do their work in fair weather, and holds what is found
 * against what was acknowledged. Counts what came up; throws at what is lost, with all that happened.
 */
export const run = (plan: SwitchPlan): Record<string, number> => {
  const time = VirtualTime.make(start, plan.seed)
  const counts: Record<string, number> = {}
  const trace: Array<string> = []
  const tell = (what: string) => trace.push(`${String(Math.floor(time.now()) - start).padStart(9)}  ${what}`)
  const exit = time.run(play(plan, counts, tell))
  if (Exit.isFailure(exit)) throw new Error(`${Cause.pretty(exit.cause)}\n\n${trace.join("\n")}\n`)
  return counts
}

const play = (plan: SwitchPlan, counts: Record<string, number>, tell: (what: string) => void) =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make({
      faults: (_, call) => plan.faults[call],
      ownFaults: (_, call) => plan.ownFaults[call],
      fates: (call) => plan.fates[call]
    })
    const attempts = new Map<string, Array<Attempt>>(keys.map((key) => [key, []]))
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1
      tell(what)
    }
    let numbers = 0

    const change = (mode: Mode, kind: "set" | "delete", number: number, old: boolean) =>
      Effect.gen(function* () {
        const key = keys[number]!
        const left = kind === "set" ? ++numbers : "absent"
        const attempt: Attempt = { left, acknowledged: false }
        attempts.get(key)!.push(attempt)
        const done = yield* Effect.either(
          world.in(mode, (store) =>
            kind === "delete"
              ? store.delete(plain, key)
              : Effect.map(
                  store.set(plain, key, new TextEncoder().encode(`${left}`)),
                  ({ acknowledged }) => acknowledged
                )
          )
        )
        attempt.acknowledged = done._tag === "Right"
        tell(`${key}: ${left}`)
        count(`${kind} ${done._tag === "Right" ? done.right : "failed"} in ${mode}${old ? ", of the old flag" : ""}`)
      })

    /** Whether the hand-over of this phase is done, so that what is deleted is there to be deleted. */
    let arrived = true
    let switchedAt = 0

    const cron = (mode: Mode) =>
      Effect.flatMap(Effect.either(Effect.timeout(world.follow(mode), mostOfACron)), (done) =>
        Effect.sync(() => {
          if (done._tag === "Left") count("passes failed")
          else if (done.right !== undefined) {
            count(`passes to ${mode} from ${done.right.from}`)
            if (done.right.cursor === undefined && done.right.settled) arrived = true
          }
        })
      )

    const step = (mode: Mode, one: SwitchStep) => {
      switch (one._) {
        case "set":
          return Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const old = one.old && !arrived && now < switchedAt + oldIsolatesFor
            return change(old ? otherThan(mode) : mode, "set", one.key, old)
          })
        case "delete":
          return arrived ? change(mode, "delete", one.key, false) : Effect.void
        case "outage":
          return Effect.sync(() => {
            tell(one.on ? "the objects are out of reach" : "the objects answer")
            world.switches.unreachable = one.on
          })
        case "cron":
          return Effect.zipRight(Effect.sleep("5 minutes"), cron(mode))
      }
    }

    world.switches.faulty = true
    yield* Effect.retry(Effect.timeout(world.follow(plan.phases[0]!.mode), mostOfACron), { times: 200 })
    let before = plan.phases[0]!.mode
    for (const { mode, steps } of plan.phases) {
      if (mode !== before) {
        tell(`the flag says ${mode}`)
        arrived = false
        switchedAt = yield* Clock.currentTimeMillis
        before = mode
      }
      for (const one of steps) {
        yield* Effect.sleep("2 seconds")
        yield* step(mode, one)
      }
      // A switch that no cron could record leaves no trace.
      const recorded = Effect.map(world.recorded, (record) => record?.mode === mode || record?.to === mode)
      yield* Effect.repeat(Effect.zipRight(step(mode, { _: "cron" }), recorded), { until: (done) => done })
    }

    tell("all is well again")
    Object.assign(world.switches, { unreachable: false, faulty: false })
    for (let times = 0; times < 4; times++) {
      yield* Effect.sleep("5 minutes")
      yield* Effect.zipRight(world.durable.restore(), cron(before))
    }
    for (const [key, tried] of attempts) {
      const { entry } = yield* world.in(before, (store) => store.get(plain, key))
      const found = entry === undefined ? "absent" : Number(new TextDecoder().decode(entry.value))
      const last = tried.findLastIndex(({ acknowledged }) => acknowledged)
      const possible = tried.slice(Math.max(0, last)).map(({ left }) => left)
      if (last < 0) possible.push("absent")
      if (!possible.includes(found)) {
        yield* Effect.die(new Error(`${key} is ${found} in ${before}, acknowledged was ${possible.join(" or ")}`))
      }
    }
  })

// What may happen

const steps: fc.Arbitrary<SwitchStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ _: fc.constant("set" as const), key: fc.nat({ max: keys.length - 1 }), old: fc.boolean() })
  },
  { weight: 3, arbitrary: fc.record({ _: fc.constant("delete" as const), key: fc.nat({ max: keys.length - 1 }) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("outage" as const), on: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ _: "cron" as const }) }
)

const faults: fc.Arbitrary<ReadonlyArray<Fault | undefined>> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("fail" as const, "lost" as const),
        reason: fc.constantFrom("RateLimited" as const, "Unavailable" as const, "DailyLimit" as const)
      })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("hang" as const), applied: fc.boolean() }) }
  ),
  { maxLength: 60 }
)

const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<ModesWorld.Fate>("drop", "lost", "late", "overloaded") }
)

/** Phases of alternating modes, from either. */
export const phases: fc.Arbitrary<SwitchPlan> = fc.record({
  seed: fc.nat({ max: 1000 }),
  fates: fc.array(fate, { maxLength: 60 }),
  faults,
  ownFaults: faults,
  phases: fc
    .tuple(
      fc.constantFrom<Mode>("durable", "kv"),
      fc.array(fc.array(steps, { maxLength: 8 }), { minLength: 1, maxLength: 5 })
    )
    .map(([first, all]) => all.map((steps, index) => ({ mode: index % 2 === 0 ? first : otherThan(first), steps })))
})
