import * as fc from "effect/FastCheck"

/** Sizes from 0 to `times` what a boundary allows; every second one lies on the boundary, or one beside it. */
export const sizesAround = (boundary: number, times = 2): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 0, max: Math.ceil(boundary * times) }),
    fc
      .tuple(fc.integer({ min: 0, max: Math.floor(times) }), fc.constantFrom(-1, 0, 1))
      .map(([whole, off]) => Math.max(0, whole * boundary + off))
  )
