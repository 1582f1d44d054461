import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "../../services/base/model/Random.ts"
import { Kv, KvError, type KvOperation, type KvReason } from "../../services/kv/Kv.ts"

/**
 * - `fail`: refused before it took effect. `lost`: it took effect, and the reply was an error.
 * - `hang`: it took effect or not (`applied`), and never answers. `delay`: it takes effect late.
 */
export type Fault =
  | { readonly kind: "fail" | "lost"; readonly reason: KvReason }
  | { readonly kind: "hang"; readonly applied: boolean }
  | { readonly kind: "delay"; readonly by: Duration.Duration }

/** The fault of an operation, or undefined for none; `call` counts all of a namespace's operations from 0. */
export type FaultPlan = (operation: KvOperation, call: number) => Fault | undefined

/** One fault per call, in order, then none. */
export const scripted =
  (faults: ReadonlyArray<Fault | undefined>): FaultPlan =>
  (_, call) =>
    faults[call]

/** Each call suffers one of the faults, chosen at random, with the given probability. */
export const seeded = (seed: number, probability: number, faults: ReadonlyArray<Fault>): FaultPlan => {
  const random = Random.make(seed)
  return () => (random() < probability ? faults[Math.floor(random() * faults.length)] : undefined)
}

/** A namespace that fails as planned. */
export const make = (kv: Context.Tag.Service<Kv>, plan: FaultPlan): Context.Tag.Service<Kv> => {
  let calls = 0
  const faulty = <A>(operation: KvOperation, effect: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.suspend(() => {
      const fault = plan(operation, calls++)
      if (fault === undefined) return effect
      switch (fault.kind) {
        case "fail":
          return Effect.fail(planned(operation, fault.reason))
        case "lost":
          return Effect.zipRight(effect, Effect.fail(planned(operation, fault.reason)))
        case "hang":
          return fault.applied ? Effect.zipRight(effect, Effect.never) : Effect.never
        case "delay":
          return Effect.delay(effect, fault.by)
      }
    })
  return {
    get: (key, options) => faulty("get", kv.get(key, options)),
    getBulk: (keys, options) => faulty("getBulk", kv.getBulk(keys, options)),
    put: (key, value, options) => faulty("put", kv.put(key, value, options)),
    delete: (key) => faulty("delete", kv.delete(key)),
    list: (options) => faulty("list", kv.list(options))
  }
}

/** Breaks the `Kv` it is provided with. */
export const layer = (plan: FaultPlan): Layer.Layer<Kv, never, Kv> =>
  Layer.effect(
    Kv,
    Effect.map(Kv, (kv) => make(kv, plan))
  )

const planned = (operation: KvOperation, reason: KvReason): KvError =>
  new KvError({ operation, reason, cause: new Error("a planned fault") })
