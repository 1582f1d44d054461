import * as Effect from "effect/Effect"
import * as traceFile from "../src/entry/replay/readers/traceFile.ts"
import * as PrefetchGraph from "../src/layers/prefetch/PrefetchGraph.ts"
import * as Random from "../src/services/base/model/Random.ts"
import { scorer } from "../src/services/replay/model/PrefetchScore.ts"
import type { Trace } from "../src/services/replay/model/Trace.ts"

/**
 * Precision and coverage of prefetch on traces, at the default setting and at 0.3, beside two null models: the same
 * trace with its keys shuffled, and always predicting the most popular eight. Second half of each trace; requests
 * without a session are taken for one. `npm run bench -- prefetch TRACE.csv.gz …`
 */

type Predict = (session: string, id: string, now: number) => ReadonlyArray<string>

const run = (trace: Trace, keys: Uint32Array, make: () => Predict) => {
  const score = scorer(keys.length)
  const sessions = Array.from(trace.session, String)
  const ids = trace.keys.map((key) => `default/${key}`)
  const scored = make()
  for (const [row, key] of keys.entries()) {
    if (trace.operation[row] !== 0) continue
    score.read(row, sessions[row]!, ids[key]!, scored(sessions[row]!, ids[key]!, trace.at[row]!))
  }
  const timed = make()
  const begin = process.cpuUsage()
  for (const [row, key] of keys.entries()) timed(sessions[row]!, ids[key]!, trace.at[row]!)
  return { ...score.result(), micros: process.cpuUsage(begin).user / keys.length, rows: keys.length }
}

const shuffled = (keys: Uint32Array): Uint32Array => {
  const random = Random.make(1)
  const order = keys.slice()
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const key = order[i]!
    order[i] = order[j]!
    order[j] = key
  }
  return order
}

/** The eight ids asked for most so far, to each session once. */
const mostPopular = (): Predict => {
  const asked = new Map<string, number>()
  const told = new Map<string, Set<string>>()
  let popular: ReadonlyArray<string> = []
  let reads = 0
  return (session, id) => {
    asked.set(id, (asked.get(id) ?? 0) + 1)
    if (reads++ % 100 === 0) {
      popular = [...asked]
        .sort(([, a], [, b]) => b - a)
        .slice(0, 8)
        .map(([name]) => name)
    }
    const known = told.get(session) ?? new Set()
    told.set(session, known)
    const fresh = popular.filter((name) => !known.has(name))
    for (const name of fresh) known.add(name)
    return fresh
  }
}

const graph = (precision: number) => (): Predict => PrefetchGraph.make({ precision }).observe

const paths = process.argv.slice(2)
if (paths.length === 0) {
  console.error("usage: npm run bench -- prefetch TRACE.csv.gz …")
  process.exit(2)
}
console.log("trace               predictor         issued/read  precision  coverage  CPU µs/read")
for (const path of paths) {
  const trace = await Effect.runPromise(traceFile.read(path))
  const models: ReadonlyArray<readonly [string, Uint32Array, () => Predict]> = [
    ["graph 0.6", trace.key, graph(0.6)],
    ["graph 0.3", trace.key, graph(0.3)],
    ["graph 0.6 shuffled", shuffled(trace.key), graph(0.6)],
    ["graph 0.3 shuffled", shuffled(trace.key), graph(0.3)],
    ["most popular 8", trace.key, mostPopular]
  ]
  for (const [name, keys, make] of models) {
    const { coverable, covered, issued, micros, rows, used } = run(trace, keys, make)
    const ratio = (part: number, whole: number) => (whole === 0 ? "-" : (part / whole).toFixed(3))
    const cells = [
      ratio(issued, rows / 2).padStart(11),
      ratio(used, issued).padStart(10),
      ratio(covered, coverable).padStart(9)
    ]
    console.log(`${trace.name.padEnd(19)} ${name.padEnd(19)}${cells.join(" ")} ${micros.toFixed(2).padStart(9)}`)
  }
}
