import { LRUCache } from "lru-cache"
import * as MemoryTierLru from "../src/layers/tiers/MemoryTierLru.ts"
import * as MemoryTierTinyLfu from "../src/layers/tiers/MemoryTierTinyLfu.ts"
import type { Observation } from "../src/services/store/model/Entry.ts"
import { slotBytes } from "../src/services/tiers/MemoryTier.ts"

/** Time per operation of the memory tiers beside lru-cache, in interleaved rounds. `npx tsx bench/memory.ts` */

const operations = 200_000
const rounds = 15
const valueBytes = 200
const now = Date.UTC(2026, 0, 1)
const observation: Observation = { entry: undefined, readAt: now }

interface Contender {
  readonly name: string
  readonly get: (id: string) => unknown
  readonly set: (id: string) => void
  readonly setExpiring: (id: string) => void
}

const ours = (name: string, tier: ReturnType<typeof MemoryTierLru.make>): Contender => ({
  name,
  get: (id) => tier.get(id, now),
  set: (id) =>
    tier.set(id, observation, { bytes: slotBytes(id, valueBytes), retainUntil: Number.POSITIVE_INFINITY }, now),
  setExpiring: (id) => tier.set(id, observation, { bytes: slotBytes(id, valueBytes), retainUntil: now + 60_000 }, now)
})

const theirs = (maxSize: number): Contender => {
  const cache = new LRUCache<string, Observation>({ maxSize, ttlResolution: 1000 })
  return {
    name: "lru-cache",
    get: (id) => cache.get(id),
    set: (id) => cache.set(id, observation, { size: slotBytes(id, valueBytes) }),
    setExpiring: (id) => cache.set(id, observation, { size: slotBytes(id, valueBytes), ttl: 60_000 })
  }
}

const contenders = (entries: number): ReadonlyArray<Contender> => {
  const capacityBytes = entries * slotBytes(idOf(0), valueBytes)
  return [
    theirs(capacityBytes),
    ours("MemoryTierLru", MemoryTierLru.make(capacityBytes)),
    ours("MemoryTierTinyLfu", MemoryTierTinyLfu.make(capacityBytes))
  ]
}

const idOf = (rank: number) => `default/quote-${String(rank).padStart(7, "0")}`

/** Ranks drawn with probability proportional to `1 / rank ^ 0.9`. */
const zipf = (keys: number) => {
  const cumulative = new Float64Array(keys)
  let sum = 0
  for (let rank = 0; rank < keys; rank++) {
    sum += (rank + 1) ** -0.9
    cumulative[rank] = sum
  }
  return () => {
    const drawn = Math.random() * sum
    let low = 0
    for (let high = keys - 1; low < high; ) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1]!

interface Scenario {
  readonly name: string
  readonly keys: number
  readonly entries: number
  readonly warm: (contender: Contender, id: string) => void
  readonly run: (contender: Contender, ids: ReadonlyArray<string>) => void
}

const each = (ids: ReadonlyArray<string>, use: (id: string) => void) => {
  for (const id of ids) use(id)
}

const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "get, 10,000 hot keys, all held",
    keys: 10_000,
    entries: 12_500,
    warm: ({ set }, id) => set(id),
    run: ({ get }, ids) => each(ids, get)
  },
  {
    name: "set, the same keys again",
    keys: 10_000,
    entries: 12_500,
    warm: ({ set }, id) => set(id),
    run: ({ set }, ids) => each(ids, set)
  },
  {
    name: "set, the same, expiring",
    keys: 10_000,
    entries: 12_500,
    warm: ({ setExpiring }, id) => setExpiring(id),
    run: ({ setExpiring }, ids) => each(ids, setExpiring)
  },
  {
    name: "get, set on a miss, a tenth held",
    keys: 100_000,
    entries: 10_000,
    warm: ({ set }, id) => set(id),
    run: ({ get, set }, ids) =>
      each(ids, (id) => {
        if (get(id) === undefined) set(id)
      })
  }
]

for (const { entries, keys, name, run, warm } of scenarios) {
  const draw = zipf(keys)
  const field = contenders(entries)
  const nanos = new Map<string, Array<number>>(field.map((contender) => [contender.name, []]))
  for (const contender of field) for (let rank = keys; rank-- > 0; ) warm(contender, idOf(rank))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < field.length; turn++) {
      const contender = field[(round + turn) % field.length]!
      const ids = Array.from({ length: operations }, () => idOf(draw()))
      const start = process.hrtime.bigint()
      run(contender, ids)
      nanos.get(contender.name)!.push(Number(process.hrtime.bigint() - start) / operations)
    }
  }
  const reference = median(nanos.get("lru-cache")!)
  console.log(name)
  for (const [contender, times] of nanos) {
    const time = median(times)
    console.log(
      `  ${contender.padEnd(18)} ${time.toFixed(0).padStart(5)} ns  ${(time / reference).toFixed(2)} x lru-cache`
    )
  }
}
