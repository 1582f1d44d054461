import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type Kv, KvError, type KvOperation, type KvReason } from "../../../src/services/kv/Kv.ts"

/**
 * What becomes of one kind of operation.
 *
 * - `refused`: it fails with a reason, and nothing was done. `lost`: it was done, and the reply is an error.
 * - `silent`: it is never answered, and was done or not. `slow`: it is done after so long, and answered.
 * - `late`: it is given up by who asks, and done nevertheless after so long.
 */
export type KvFault =
  | { readonly kind: "refused"; readonly reason: KvReason }
  | { readonly kind: "lost" }
  | { readonly kind: "silent"; readonly applied: boolean }
  | { readonly kind: "slow" | "late"; readonly millis: number }

export interface KvFaults {
  readonly faults: Partial<Record<KvOperation, KvFault>>
  /** Which keys they concern: every one, every second or every third by a hash. */
  readonly every: 1 | 2 | 3
}

export const soundKv: KvFaults = { faults: {}, every: 1 }

const hashOf = (key: string): number => [...key].reduce((hash, char) => (31 * hash + char.charCodeAt(0)) >>> 0, 7)

/** A namespace whose faults can be changed at any moment; it tells which keys met one. */
export const makeFaultyKv = (kv: Kv["Type"]) => {
  let drawn = soundKv
  /** Keys whose change was not answered well since the last question. */
  let met = new Set<string>()
  /** When the last late change of a key is done. Milliseconds. */
  const lateAt = new Map<string, number>()

  const failed = (operation: KvOperation, reason: KvReason) => Effect.fail(new KvError({ operation, reason }))

  const faulty = <A>(
    operation: KvOperation,
    keys: ReadonlyArray<string>,
    effect: Effect.Effect<A, KvError>
  ): Effect.Effect<A, KvError> =>
    Effect.suspend((): Effect.Effect<A, KvError> => {
      const fault = drawn.faults[operation]
      if (fault === undefined || !keys.some((key) => hashOf(key) % drawn.every === 0)) return effect
      if (fault.kind !== "slow" && (operation === "put" || operation === "delete")) {
        for (const key of keys) met.add(key)
      }
      switch (fault.kind) {
        case "refused":
          return failed(operation, fault.reason)
        case "lost":
          return Effect.zipRight(effect, failed(operation, "Unavailable"))
        case "silent":
          return fault.applied ? Effect.zipRight(effect, Effect.never) : Effect.never
        case "slow":
          return Effect.delay(effect, fault.millis)
        case "late": {
          // A page or a mark that is put late takes the place of a later one: of those KV keeps one writer's alone.
          if (keys.some((key) => !isOfOneEntry(key))) return Effect.never
          return Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            for (const key of keys) lateAt.set(key, now + fault.millis)
            return yield* Fiber.join(yield* Effect.forkDaemon(Effect.delay(effect, fault.millis)))
          })
        }
      }
    })

  return {
    kv: {
      get: (key, options) => faulty("get", [key], kv.get(key, options)),
      getBulk: (keys, options) => faulty("getBulk", keys, kv.getBulk(keys, options)),
      put: (key, value, options) => faulty("put", [key], kv.put(key, value, options)),
      delete: (key) => faulty("delete", [key], kv.delete(key)),
      list: (options) => faulty("list", [options?.prefix ?? ""], kv.list(options))
    } satisfies Kv["Type"],
    set: (next: KvFaults): void => {
      drawn = next
    },
    /** Keys of changes that met a fault since the last call. */
    met: (): ReadonlySet<string> => {
      const before = met
      met = new Set()
      return before
    },
    lateAt: (key: string): number => lateAt.get(key) ?? 0
  }
}

const isOfOneEntry = (key: string): boolean => /^~(plain|memory)\//.test(key)
