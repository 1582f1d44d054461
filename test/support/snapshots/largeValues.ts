import * as Effect from "effect/Effect"
import { type DurableCache, entriesOf } from "../../../src/services/durable/DurableCache.ts"
import { write } from "../durable/shardWrite.ts"

const mebibyte = 1024 * 1024

const filled = (size: number, seed: number): Uint8Array => {
  const value = new Uint8Array(size)
  for (let i = 0; i < size; i += 997) value[i] = (i + seed) % 251
  return value
}

const isSame = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  a.byteLength === b?.byteLength && a.every((byte, i) => byte === b[i])

/** Writes more than one RPC can carry, a value of the largest size among them, and says which came back as written. */
export const largeValues = (cache: DurableCache["Type"]) =>
  Effect.gen(function* () {
    const sizes = [7, 7, 25, 7].map((size, i) => ({ id: `large/${i}`, value: filled(size * mebibyte, i) }))
    const view = { id: "large/view", value: new Uint8Array(33 * mebibyte).subarray(5, 9).fill(3) }
    const values = [...sizes, view]
    const written = yield* cache.apply(values.map(({ id, value }, i) => write(id, { value, wall: 1 + i })))
    const found = yield* entriesOf(
      cache,
      values.map(({ id }) => id)
    )
    return {
      outcomes: written.map((result) => ("outcome" in result ? result.outcome : String(result.cause))),
      same: values.map(({ value }, i) => isSame(value, found[i]?.value))
    }
  })
