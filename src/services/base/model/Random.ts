/** Uniform in [0, 1), the same sequence for the same seed. mulberry32, Tommy Ettinger, 2017. */
export const make = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Uniform in [0, 1) for a triple, whatever was drawn before: chance without a state, so that the order in which
 * questions are asked changes no answer. Finaliser of MurmurHash3, Austin Appleby, 2011.
 */
export const uniformOf = (seed: number, a: number, b: number): number =>
  finalise(Math.imul(finalise(Math.imul(finalise(seed | 0) ^ a, 0x9e3779b1)) ^ b, 0x85ebca77)) / 2 ** 32

const finalise = (bits: number): number => {
  let h = bits
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
