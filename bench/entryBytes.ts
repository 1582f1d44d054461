import * as MemoryTierTinyLfu from "../src/layers/tiers/MemoryTierTinyLfu.ts"
import type { Observation } from "../src/services/store/model/Entry.ts"
import { slotBytes } from "../src/services/tiers/MemoryTier.ts"

/** Values' sizes, and how many of each: enough that the growth of the tables is shared by many. */
const sizes = [
  [50, 100_000],
  [1000, 40_000],
  [100_000, 800]
] as const

const collect = globalThis.gc
if (collect === undefined) throw new Error("run it with `node --expose-gc --import tsx bench/entryBytes.ts`")

const used = (): number => {
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const now = 1_764_237_000_000

/** An observation as a store of record gives it: every part an object of its own, its fields out of parsed JSON. */
const observed = (index: number, bytes: number): Observation => {
  const metadata = JSON.parse(`{"s":[${now + index},0,"w1aBcDeF"],"e":${now + index},"c":"application/json","t":[]}`)
  const [wall, counter, writer] = metadata.s
  return {
    readAt: now + index,
    draw: index / 2 ** 20,
    entry: {
      value: new Uint8Array(bytes),
      contentType: metadata.c,
      tags: metadata.t,
      stamp: { wall, counter, writer },
      expiresAt: metadata.e,
      loadMillis: 0
    }
  }
}

const idOf = (index: number): string => `default/user:${String(index).padStart(12, "0")}:profile`

/** What an entry takes of the heap in a memory tier, beside what the tier counts for it. */
for (const [bytes, count] of sizes) {
  const tier = MemoryTierTinyLfu.make(Number.MAX_SAFE_INTEGER)
  const before = used()
  for (let index = 0; index < count; index++) {
    const retainUntil = now + 60_000 + index
    tier.set(idOf(index), observed(index, bytes), { bytes: slotBytes(idOf(index), bytes), retainUntil }, now)
  }
  const each = (used() - before) / tier.stats().entries
  const overhead = each - bytes - 2 * idOf(0).length
  console.log(
    `${bytes} B: ${each.toFixed(0)} B an entry, counted ${slotBytes(idOf(0), bytes)}, overhead ${overhead.toFixed(0)}`
  )
}
