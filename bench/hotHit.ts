import * as Lately from "../src/entry/monitoring/lately.ts"
import { make } from "../src/entry/monitoring/watch.ts"
import { off } from "../src/services/monitoring/Monitor.ts"

// What counting adds to a hit of the hot route, beside a monitor that counts nothing, in turn:
// node --expose-gc --max-semi-space-size=64 --import tsx bench/hotHit.ts

const collect = globalThis.gc
if (collect === undefined)
  throw new Error("run it with `node --expose-gc --max-semi-space-size=64 --import tsx bench/hotHit.ts`")

const rounds = 7
const hits = 200_000
const urls = Array.from({ length: 100 }, (_, index) => `https://larder.example/api/v1/cache/default/key-${index}`)

const { hit, lately } = Lately.make()
const monitors = { off, on: make({ ended: () => undefined, hit, lately }).monitor }

/** Bytes allocated and nanoseconds, each for one hit. No collection runs meanwhile: half the young generation is larger. */
const measured = (monitor: (typeof monitors)["on"]) => {
  collect()
  const before = process.memoryUsage().heapUsed
  const began = process.hrtime.bigint()
  for (let index = 0; index < hits; index++) monitor.hit(urls[index % urls.length]!)
  const nanos = Number(process.hrtime.bigint() - began)
  return { bytes: (process.memoryUsage().heapUsed - before) / hits, nanos: nanos / hits }
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const figures = { off: [] as Array<ReturnType<typeof measured>>, on: [] as Array<ReturnType<typeof measured>> }
for (let round = -1; round < rounds; round++) {
  for (const name of ["off", "on"] as const) {
    const figure = measured(monitors[name])
    if (round >= 0) figures[name].push(figure)
  }
}
for (const name of ["off", "on"] as const) {
  const bytes = median(figures[name].map((figure) => figure.bytes))
  const nanos = median(figures[name].map((figure) => figure.nanos))
  console.log(`${name}: ${bytes.toFixed(1)} bytes and ${nanos.toFixed(1)} ns a hit`)
}
