import * as fc from "effect/FastCheck"

export const keys = ["a/1", "a/2", "a/ü", "b/1", "b/2", "b/3"]
export const tags = ["t", "u"]

/** What a client asks, or what happens to an object. */
export type Asked =
  | { readonly _: "set"; readonly key: number; readonly tags: ReadonlyArray<string> }
  | { readonly _: "delete" | "fill"; readonly key: number }
  | { readonly _: "read" | "list" | "cold" }
  | { readonly _: "invalidate"; readonly tag: number }
  | { readonly _: "clear"; readonly prefix: string }
  | { readonly _: "restart" | "goOn"; readonly object: number }
  | { readonly _: "late"; readonly pick: number }

/** A life of objects whose number changes while clients use them. */
export interface Plan {
  readonly seed: number
  readonly first: number
  /** What the number of shards is to be, one after the other. */
  readonly targets: ReadonlyArray<number>
  /** One RPC, and one KV operation, in so many fails; 0 for none. */
  readonly losses: number
  readonly skew: number
  readonly steps: ReadonlyArray<{ readonly wait: number; readonly isolate: number; readonly asked: Asked }>
}

const key = fc.nat({ max: keys.length - 1 })

const asked: fc.Arbitrary<Asked> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ _: fc.constant("set" as const), key, tags: fc.subarray(tags) })
  },
  { weight: 3, arbitrary: fc.record({ _: fc.constantFrom("delete" as const, "fill" as const), key }) },
  {
    weight: 5,
    arbitrary: fc.record({ _: fc.constantFrom("read" as const, "read" as const, "list" as const, "cold" as const) })
  },
  { weight: 3, arbitrary: fc.record({ _: fc.constant("late" as const), pick: fc.nat({ max: 50 }) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("invalidate" as const), tag: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("clear" as const), prefix: fc.constantFrom("a/", "b/") }) },
  {
    weight: 2,
    arbitrary: fc.record({ _: fc.constantFrom("restart" as const, "goOn" as const), object: fc.nat({ max: 20 }) })
  }
)

export const plan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat({ max: 100_000 }),
  first: fc.integer({ min: 1, max: 3 }),
  targets: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  losses: fc.constantFrom(0, 40, 10, 4),
  skew: fc.constantFrom(0, 0, 5, 300),
  steps: fc.array(
    fc.record({
      wait: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 30, max: 1500 })),
      isolate: fc.nat({ max: 1 }),
      asked
    }),
    { maxLength: 40, size: "max" }
  )
})
