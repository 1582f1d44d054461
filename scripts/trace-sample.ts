/** Writes samples/sample.csv, the same on every machine: two hours of a small site, as a trace for `npm run replay`. */
import { mkdirSync, writeFileSync } from "node:fs"
import * as Random from "../src/services/base/model/Random.ts"

const requests = 5000
const keys = 800
const sessions = 120
const seconds = 7200

const draw = Random.make(20_260_105)

/** Popularity falls with rank: a log-uniform rank is Zipf's law with exponent 1. */
const rank = (): number => Math.floor(keys ** draw()) - 1

/** A size stays with its key: 200 bytes to 200 kB, log-uniform. */
const sizes = Array.from({ length: keys }, () => Math.round(200 * 1000 ** draw()))

const operation = (): string => {
  const chance = draw()
  return chance < 0.92 ? "r" : chance < 0.995 ? "w" : "d"
}

const times = Array.from({ length: requests }, () => draw() * seconds).sort((a, b) => a - b)

const rows = times.map((time) => {
  const key = rank()
  return `${time.toFixed(3)},/page/${key},${sizes[key]},${operation()},${Math.floor(draw() * sessions)}`
})

mkdirSync("samples", { recursive: true })
writeFileSync("samples/sample.csv", `time,key,size,op,session\n${rows.join("\n")}\n`)
console.log(`samples/sample.csv: ${requests} requests for ${keys} keys at most`)
