import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import type { DurableTrace } from "./durableTrace.ts"

/**
 * What becomes of one RPC. `lost`: done, and its reply is not; `silent`: the same without an error. `late`: done
 * after the caller has given up. `twice`: done again when that would be. `drop`: never done. `overloaded`: refused.
 * `retry` and `reset`: not done, and done, with an error that the platform calls retryable.
 */
export interface Fate {
  readonly kind: "slow" | "lost" | "silent" | "late" | "twice" | "drop" | "overloaded" | "retry" | "reset"
  /** Milliseconds on the way there, and back. */
  readonly there: number
  readonly back: number
}

/** Where the wires lead. */
interface Ends {
  readonly call: ShardCall
  /** Something else after every restart of the object: what was sent to the one before never comes to the next. */
  readonly lifeOf: (object: string) => unknown
}

const lost = () => Effect.fail(new Error("Network connection lost."))

const retryable = () =>
  Object.assign(new Error("Durable Object reset because its code was updated."), { retryable: true })

/** Of a slow wire: a large value takes longer than a small one may. */
const bytesPerMilli = 5

const bytesIn = (what: unknown): number => {
  if (what instanceof Uint8Array) return what.byteLength
  if (typeof what !== "object" || what === null) return 0
  return Object.values(what).reduce((sum: number, part) => sum + bytesIn(part), 0)
}

/** Of the shard within its generation. */
const numberOf = (object: string): number => Number(/\d+$/.exec(object)![0])

/**
 * The wires from isolates to objects and between objects, which may fail as planned.
 *
 * @param clock the true one
 * @param plan `fates`: of the RPCs in order; all is well with those after
 */
export const makeWires = (
  clock: Clock.Clock,
  plan: { readonly fates: ReadonlyArray<Fate>; readonly slow?: boolean },
  { call, lifeOf }: Ends,
  { called, count, tell }: Pick<DurableTrace, "called" | "count" | "tell">
) => {
  const outages = new Map<string, number>()
  let fates = plan.fates
  let calls = 0

  const nextFate = (whose: string, method: string, object: string): Fate => {
    const fate = fates[calls++] ?? { kind: "slow", there: 1, back: 0 }
    count(`RPC ${fate.kind}`)
    if (calls <= fates.length)
      tell(`${whose} ${method} to ${object}: ${fate.kind}, ${fate.there} there, ${fate.back} back`)
    return fate
  }

  /** Milliseconds that what is large takes. */
  const transfer = (what: unknown) => (plan.slow ? Math.floor(bytesIn(what) / bytesPerMilli) : 0)

  return {
    from:
      (isolate: number): ShardCall =>
      (object, method, ...args) =>
        Effect.withClock(
          Effect.suspend(() => {
            const until = outages.get(`${isolate}:${numberOf(object)}`) ?? 0
            if (clock.unsafeCurrentTimeMillis() < until) return Effect.delay(lost(), 3)
            const { back, kind, there } = nextFate(`isolate ${isolate}'s`, method, object)
            const life = lifeOf(object)
            const arrive = Effect.suspend(() =>
              life === undefined || life === lifeOf(object)
                ? call(object, method, ...args)
                : Effect.fail(new Error("the object was reset"))
            )
            const deliver = (after: number) =>
              Effect.forkDaemon(Effect.interruptible(Effect.delay(arrive, after + transfer(args))))
            const reply = <A, E>(fiber: Fiber.Fiber<A, E>) =>
              Effect.tap(Fiber.join(fiber), (told) => Effect.sleep(back + transfer(told)))
            const late = Duration.toMillis(defaults.durableDeadline) + 1 + there
            switch (kind) {
              case "slow":
                return Effect.flatMap(deliver(there), reply)
              case "lost":
                return Effect.zipRight(Effect.flatMap(deliver(there), reply), lost())
              case "silent":
                return Effect.zipRight(deliver(there), Effect.never)
              case "late":
                return Effect.zipRight(deliver(late), Effect.never)
              case "twice":
                return Effect.zipRight(deliver(late), Effect.flatMap(deliver(there), reply))
              case "drop":
                return Effect.delay(lost(), there)
              case "retry":
                return Effect.delay(Effect.fail(retryable()), there)
              case "reset":
                return Effect.zipRight(Effect.flatMap(deliver(there), reply), Effect.fail(retryable()))
              case "overloaded":
                return Effect.fail(Object.assign(new Error("Durable Object is overloaded."), { overloaded: true }))
            }
          }),
          clock
        ).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              called(isolate, object, Exit.isSuccess(exit) && exit.value._tag === "Answered")
            })
          )
        ),
    /** Objects reach each other, or learn that they did not, or do not know. */
    between: ((object, method, ...args) =>
      Effect.suspend(() => {
        const { back, kind, there } = nextFate("an object's", method, object)
        if (kind === "drop" || kind === "overloaded" || kind === "retry") return Effect.delay(lost(), there)
        const reply = Effect.zipLeft(Effect.delay(call(object, method, ...args), there), Effect.sleep(back))
        return kind === "slow" ? reply : Effect.zipRight(reply, lost())
      })) as ShardCall,
    outage: (isolate: number, number: number, millis: number): void => {
      tell(`isolate ${isolate} loses sight of shard ${number} for ${millis}`)
      outages.set(`${isolate}:${number}`, clock.unsafeCurrentTimeMillis() + millis)
    },
    /** Whether an isolate cannot see a shard now. */
    isAway: (): boolean => [...outages.values()].some((until) => clock.unsafeCurrentTimeMillis() < until),
    heal: (): void => {
      outages.clear()
      fates = []
    }
  }
}
