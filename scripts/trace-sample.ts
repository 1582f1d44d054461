/**
 * Writes samples/sample.csv, the same on every machine: two hours of a small site, as a trace for `npm run replay`. Of
 * another size with `npm run -s trace:sample -- --requests 1200000 --keys 20000 --seconds 86400 --seed 2`.
 */
import { createWriteStream, mkdirSync } from "node:fs"
import { finished } from "node:stream/promises"
import { parseArgs } from "node:util"
import * as Random from "../src/services/base/model/Random.ts"

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "5000" },
    keys: { type: "string", default: "800" },
    seconds: { type: "string", default: "7200" },
    seed: { type: "string", default: "20260105" }
  }
})
const [requests, keys, seconds, seed] = [values.requests, values.keys, values.seconds, values.seed].map(Number) as [
  number,
  number,
  number,
  number
]
const sessions = 120

const draw = Random.make(seed)

/** Popularity falls with rank: a log-uniform rank is Zipf's law with exponent 1. */
const rank = (): number => Math.floor(keys ** draw()) - 1

/** A size stays with its key: 200 bytes to 200 kB, log-uniform. */
const sizes = Array.from({ length: keys }, () => Math.round(200 * 1000 ** draw()))

const operation = (): string => {
  const chance = draw()
  return chance < 0.92 ? "r" : chance < 0.995 ? "w" : "d"
}

const times = Array.from({ length: requests }, () => draw() * seconds).sort((a, b) => a - b)

mkdirSync("samples", { recursive: true })
const file = createWriteStream("samples/sample.csv")
file.write("time,key,size,op,session\n")
for (const time of times) {
  const key = rank()
  file.write(`${time.toFixed(3)},/page/${key},${sizes[key]},${operation()},${Math.floor(draw() * sessions)}\n`)
}
file.end()
await finished(file)
console.log(`samples/sample.csv: ${requests} requests for ${keys} keys at most`)
