import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as zlib from "node:zlib"
import { Miniflare } from "miniflare"
import * as CompressionZlib from "../src/layers/compression/CompressionZlib.ts"
import * as Random from "../src/services/base/model/Random.ts"
import { encodeBlocks } from "../src/services/compression/model/GzipBlocks.ts"
import { bundle, moduleOf } from "../test/support/miniflare.ts"

/**
 * What compression saves, and how fast, beside plain node:zlib; then a long stream in workerd, and its memory.
 * `npm run bench -- compression [--stream-mb 1024]`
 */

const flag = process.argv.indexOf("--stream-mb")
const streamBytes = (flag === -1 ? 1024 : Number(process.argv[flag + 1])) * 1_000_000
const corpusBytes = 3_000_000

/** Every `*.md` of node_modules by path, up to so many bytes. */
const markdown = (): Uint8Array => {
  const root = fileURLToPath(new URL("../node_modules", import.meta.url))
  const files = execFileSync("find", [root, "-name", "*.md", "-type", "f"], { encoding: "utf8", maxBuffer: 2 ** 28 })
  const parts: Array<Buffer> = []
  let bytes = 0
  for (const file of files.trim().split("\n").sort()) {
    if (bytes >= corpusBytes) break
    const part = readFileSync(file)
    parts.push(part)
    bytes += part.byteLength
  }
  return new Uint8Array(Buffer.concat(parts).subarray(0, corpusBytes))
}

const random = Random.make(11)
const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!
const utf8 = new TextEncoder()
const price = () => Math.round(random() * 50_000) / 100

const repeated = (make: (i: number) => string, bytes: number): Uint8Array => {
  const parts: Array<string> = []
  for (let length = 0, i = 0; length < bytes; i++) {
    parts.push(make(i))
    length += parts.at(-1)!.length
  }
  return utf8.encode(parts.join(""))
}

const quote = (i: number) =>
  JSON.stringify({ symbol: `S${i % 500}`, price: price(), change: price() / 100, volume: Math.floor(random() * 1e7) })

const html = (i: number) =>
  `<tr class="${pick(["odd", "even"])}"><td>${i}</td><td><a href="/symbols/S${i % 500}">S${i % 500}</a></td><td>${price()}</td></tr>\n`

const csv = (i: number) => `2026-11-${10 + (i % 20)},S${i % 500},${price()},${price()},${Math.floor(random() * 1e6)}\n`

const noise = Uint8Array.from({ length: 1_000_000 }, () => Math.floor(random() * 256))

const corpora: ReadonlyArray<readonly [name: string, contentType: string, bytes: Uint8Array]> = [
  ["markdown", "text/markdown", markdown()],
  ["json", "application/json", repeated((i) => `${quote(i)},`, 1_000_000)],
  ["html", "text/html", repeated(html, 1_000_000)],
  ["csv", "text/csv", repeated(csv, 1_000_000)],
  ["noise", "application/octet-stream", noise]
]

const percent = (before: number, after: number) => `${(100 * (1 - after / before)).toFixed(1)} %`

/** The best of three, for one machine shared by many. */
const timed = (work: () => number): { readonly bytes: number; readonly millis: number } => {
  let best = Number.POSITIVE_INFINITY
  let bytes = 0
  for (let i = 0; i < 3; i++) {
    const before = performance.now()
    bytes = work()
    best = Math.min(best, performance.now() - before)
  }
  return { bytes, millis: best }
}

const { compress } = CompressionZlib.make()

for (const [name, contentType, bytes] of corpora) {
  const row = (what: string, work: () => number) => {
    const { bytes: after, millis } = timed(work)
    if (after > bytes.byteLength && what.startsWith("Larder")) throw new Error(`${what} made ${name} larger`)
    return {
      what,
      saved: percent(bytes.byteLength, after),
      "MB/s": Number((bytes.byteLength / millis / 1e3).toFixed(1))
    }
  }
  const quality = (level: number) => ({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: level } })
  console.log(`\n${name}, ${(bytes.byteLength / 1e6).toFixed(1)} MB`)
  console.table([
    row("Larder, inline", () => compress(bytes, { contentType, use: "inline" }).bytes.byteLength),
    row("Larder, flush", () => compress(bytes, { contentType, use: "flush" }).bytes.byteLength),
    row("gzip with restart points, the codec alone", () => encodeBlocks(bytes).bytes.byteLength),
    row("node:zlib gzip 6", () => zlib.gzipSync(bytes).byteLength),
    row("node:zlib gzip 9", () => zlib.gzipSync(bytes, { level: 9 }).byteLength),
    row("node:zlib brotli 5", () => zlib.brotliCompressSync(bytes, quality(5)).byteLength),
    row("node:zlib brotli 9", () => zlib.brotliCompressSync(bytes, quality(9)).byteLength)
  ])
}

const small = Array.from({ length: 2000 }, (_, i) => utf8.encode(quote(i)))
const all = small.reduce((sum, one) => sum + one.byteLength, 0)
const sum = (pack: (one: Uint8Array) => Uint8Array) => small.reduce((total, one) => total + pack(one).byteLength, 0)
console.log(`\n2,000 JSON values of ${Math.round(all / 2000)} bytes`)
console.table([
  {
    what: "Larder, preset dictionary",
    saved: percent(
      all,
      sum((one) => compress(one, { contentType: "application/json", use: "inline" }).bytes)
    )
  },
  {
    what: "node:zlib deflateRaw",
    saved: percent(
      all,
      sum((one) => zlib.deflateRawSync(one))
    )
  }
])

/** Resident bytes of the workerd that this process started. */
const residentOf = (pid: string): number => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}

const workerd = (): string => {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      if (stat.includes("(workerd)") && stat.split(") ")[1]?.split(" ")[1] === String(process.pid)) return pid
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error("no workerd of this process")
}

if (streamBytes > 0) {
  const runtime = new Miniflare(moduleOf(await bundle(new URL("./compressionWorker.ts", import.meta.url))))
  try {
    const { origin } = await runtime.ready
    const pid = workerd()
    const rows: Array<Record<string, unknown>> = []
    for (const share of [0.01, 0.1, 1]) {
      const resident: Array<number> = []
      const watch = setInterval(() => resident.push(residentOf(pid)), 50)
      const before = performance.now()
      const bytes = Math.round(streamBytes * share)
      const answer = await fetch(`${origin}?coding=gzip&bytes=${bytes}`)
      const text = await answer.text().finally(() => clearInterval(watch))
      const { packed, back } = JSON.parse(text) as { readonly packed: number; readonly back: number }
      rows.push({
        "streamed MB": Math.round(back / 1e6),
        saved: percent(back, packed),
        "MB/s, encoded and decoded": Number((back / (performance.now() - before) / 1e3).toFixed(1)),
        "peak of workerd's memory, MB, in each quarter of the time": [0, 1, 2, 3]
          .map((quarter) => resident.slice((quarter * resident.length) / 4, ((quarter + 1) * resident.length) / 4))
          .map((samples) => Math.round(Math.max(0, ...samples) / 1e6))
          .join(" ")
      })
    }
    console.log("\nOne stream through the service in workerd")
    console.table(rows)
  } finally {
    await runtime.dispose()
  }
}
