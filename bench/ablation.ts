import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Replay, replay, type StackResult } from "../src/entry/replay.ts"
import { optionsOf, type Part, stackOrder } from "../src/entry/replayOptions.ts"
import { totalOf } from "../src/services/Replayed.ts"

/**
 * What each part of KV mode saves of the trading day's KV operations: alone, added to those before it, and left out of
 * all. A minute per stack. `npm run bench -- ablation [seed]`
 */

const seed = process.argv[2] ?? "1"
const parts = stackOrder.filter((part) => part !== "direct" && part !== "durable")

const run = (stack: string, without?: Part): StackResult => {
  const none = Option.none<string>()
  const options = Effect.runSync(
    optionsOf({
      trace: none,
      format: none,
      scenario: Option.some("trading-day"),
      stack: Option.some(stack),
      without: Option.fromNullable(without),
      memory: none,
      ttl: none,
      isolates: none,
      locations: none,
      isolateLife: none,
      shards: none,
      plan: none,
      budgetWrites: none,
      prefetchPrecision: none,
      seed: Option.some(seed),
      json: true,
      report: none
    })
  )
  const quiet = { note: () => {}, begin: () => {}, advance: () => {}, end: () => {} }
  const { result, wrongReads }: Replay = Effect.runSync(replay(options, quiet))
  if (wrongReads > 0) throw new Error(`${stack}: ${wrongReads} reads returned the value of another entry`)
  return result.stacks[0]!
}

const direct = run("direct")
const whole = run("kv")
const durable = run("durable")
const saved = ({ kv }: StackResult): string => `${((1 - totalOf(kv) / totalOf(direct.kv)) * 100).toFixed(1)} %`

const rows: Record<string, Record<string, string | number>> = {}
for (const part of parts) {
  const [alone, cumulative, left] = [run(`direct+${part}`), run(part), run("kv", part)]
  rows[part] = {
    "alone saves": saved(alone),
    "with all before": saved(cumulative),
    "KV operations": totalOf(cumulative.kv),
    "all without it": saved(left),
    "its share of all": `${(((totalOf(left.kv) - totalOf(whole.kv)) / totalOf(direct.kv)) * 100).toFixed(1)} %`,
    "calls alone": totalOf(alone.kvCalls)
  }
}
const { bound } = direct
console.log(
  `direct: ${totalOf(direct.kv)} KV operations (${direct.kv.reads} reads, ${direct.kv.writes} writes); least without packing ${bound.kvReads + bound.kvWrites}`
)
for (const [name, { bufferedLost, kv, lostWrites }] of Object.entries({ kv: whole, durable })) {
  console.log(
    `${name}: ${totalOf(kv)} (${kv.reads} reads, ${kv.writes} writes, ${kv.deletes} deletes, ${kv.lists} lists), saves ${saved({ ...whole, kv })}; lost ${lostWrites} stored, ${bufferedLost} buffered`
  )
}
console.table(rows)
