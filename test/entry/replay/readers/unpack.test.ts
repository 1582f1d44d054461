import { spawnSync } from "node:child_process"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { decoded, linesOf, splitLines } from "../../../../src/entry/replay/readers/text.ts"
import { readBytes } from "../../../support/replay/traceFiles.ts"

const plain = "time,key,size,op\n0,a,1,r\n5,b,2,w\n"

/** `plain` as `zstd -19 --check` packs it. */
const zstd = Buffer.from("KLUv/SQhCQEAdGltZSxrZXksc2l6ZSxvcAowLGEsMSxyCjUsYiwyLHcKtm1nkw==", "base64")

/** 200 requests for 7 keys, `${i},key-${i % 7}-with-some-text,${100 + (i % 7)},r`, as `zstd` packs them. */
const zstdOfMany = Buffer.from(
  "KLUv/WTbFtUPADaZOBiQJ2kxWMsmZdt3o8xM+8ru7t7X4O7IpwQ/ADIAKABDqzl9Nn5b1auToxBEHIXc3SjEzEYhVTUKIaJRyD8KmZkcCooDURQMAwTAgUBADDFDwECKA8IAMSgCSFEgHAK6mpiXlpWU5+RqIh4aFhKOg6uJd2dXR/fNrSbamVkZ2Ta2mlhXVlVU19RqIh0ZFRFNAXVd1zVN0zRN0zRN///////P8zzP8zzPq4l7a1tL+86uJuqpaSnpOgG7u7u7u6qqqqqqmZmZmZk4juM4juM4ft/3fd/3fd+2bdu2bdu2Xdd1XQeA26gxXHutP2swQ5EgSg8RMAxD+CvCJ6TuAYppbTet6a01re2mNb21prXdtKZ3H44PsYegB+Zh8JDuUHZQHQ4dag4lB4nDwaHeUNygNhwbyhpKDUrDQUOdocwgZTgy1BiKGBSGA0P5QnlBXThcqC2UFiQLh4W6QrGCqnBUKFMoKSgKBwr1hHKCNOGYUEsoSlASDgnlCGUEFeEQoYZQQpAgHBDqB8UH6sHxoOygdKAc7BpZcUBzJrRNFiAE+EVFQoBfVCQE+EVFQoBfVCQE+EVFQoBfVCQE+EVFQliViQy6d5xl/OfgOSSWgo2YMu6OAkaEMm6AAkbkkytERZNLWrITIHIoopjAg4hiAgtFjLHAAjVUAvBquMluAg==",
  "base64"
)

/** What a reader skips: RFC 8878, 3.1.2. */
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

const utf16 = (text: string, bigEndian: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le")
  return bigEndian ? bytes.swap16() : bytes
}

async function* pieces(bytes: Uint8Array, ends: ReadonlyArray<number>) {
  let from = 0
  for (const to of [...ends.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(from, Math.max(from, to))
    from = Math.max(from, to)
  }
}

describe("packed traces", () => {
  const packed: ReadonlyArray<readonly [what: string, bytes: Uint8Array | string]> = [
    ["plain", plain],
    ["gzip", gzipSync(plain)],
    ["several gzip members", Buffer.concat([gzipSync(plain.slice(0, 20)), gzipSync(plain.slice(20))])],
    ["zstd", zstd],
    ["zstd behind a frame to skip", Buffer.concat([skippable, zstd])],
    ["UTF-8 with a byte order mark in gzip", gzipSync(`\ufeff${plain}`)],
    ["UTF-16, little end first", utf16(plain, false)],
    ["UTF-16, big end first", utf16(plain, true)],
    ["gzip of gzip", gzipSync(gzipSync(plain))],
    ["gzip of zstd", gzipSync(zstd)],
    ["gzip padded with zeros", Buffer.concat([gzipSync(plain), Buffer.alloc(512)])],
    ["lines that only a carriage return ends", plain.replaceAll("\n", "\r")],
    ["lines of a carriage return and a line feed", plain.replaceAll("\n", "\r\n")]
  ]
  for (const [what, bytes] of packed) {
    it.effect(`are read as ${what}`, () =>
      Effect.gen(function* () {
        const trace = yield* readBytes(bytes, {}, "day.csv.zst")
        expect([trace.name, trace.keys, [...trace.size]]).toEqual(["day", ["a", "b"], [1, 2]])
      })
    )
  }

  it.effect("are read from zstd with matches, and from two frames", () =>
    Effect.gen(function* () {
      const one = yield* readBytes(zstdOfMany)
      expect([one.at.length, one.keys.length, one.size[6]]).toEqual([200, 7, 106])
      expect(one.keys[3]).toBe("key-3-with-some-text")
      const two = yield* readBytes(Buffer.concat([zstd, zstdOfMany]), { format: "csv", columns: { key: "key" } })
      expect(two.notes.unparsed).toBe(1)
      expect(two.at.length).toBe(202)
    })
  )

  const broken: ReadonlyArray<readonly [what: string, bytes: Uint8Array]> = [
    ["gzip", gzipSync(plain).subarray(0, 30)],
    ["zstd", zstdOfMany.subarray(0, 60)],
    ["zstd at its very beginning", zstd.subarray(0, 5)],
    ["gzip with a wrong byte", gzipSync(plain).fill(0x55, 12, 16)]
  ]
  for (const [what, bytes] of broken) {
    it.effect(`are refused where they break off: ${what}`, () =>
      Effect.gen(function* () {
        const { detail } = yield* Effect.flip(readBytes(bytes))
        expect(detail).toMatch(/cannot be read|breaks off/)
        expect(detail).not.toContain("\n")
      })
    )
  }
})

describe("lines", () => {
  it("are the same however the bytes arrive, whatever ends them", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 20 }),
        fc.array(fc.nat(100), { maxLength: 8 }),
        async (lines, ends) => {
          const bytes = Buffer.from(lines.map(([text, end]) => text.replaceAll(/[\r\n]/g, "") + end).join(""))
          const found: Array<string> = []
          for await (const some of linesOf(
            pieces(
              bytes,
              ends.map((end) => Math.min(end, bytes.length))
            )
          )) {
            found.push(...some)
          }
          const text = found.map(decoded).filter((line) => line !== "")
          expect(text).toEqual(splitLines(bytes.toString()).filter((line) => line !== ""))
        }
      )
    ))

  it("of different bytes are different texts, and of UTF-8 the text itself", () => {
    const bytes = fc.uint8Array({ maxLength: 12 })
    fc.assert(
      fc.property(bytes, bytes, fc.string({ unit: "binary" }), (a, b, text) => {
        const [one, other] = [a, b].map((bytes) => Buffer.from(bytes).toString("latin1"))
        expect(decoded(one!) === decoded(other!)).toBe(one === other)
        const wellFormed = text.toWellFormed()
        expect(decoded(Buffer.from(wellFormed).toString("latin1"))).toBe(wellFormed)
      })
    )
  })
})

/** `count` blocks of 128 KiB of one byte, four bytes each: RFC 8878, 3.1.1.2, `RLE_Block`. */
const zstdBomb = (count: number, byte: number): Buffer => {
  const block = (last: boolean) => {
    const header = (last ? 1 : 0) | (1 << 1) | ((128 * 1024) << 3)
    return [header & 255, (header >> 8) & 255, (header >> 16) & 255, byte]
  }
  const blocks = Array.from({ length: count }, (_, index) => block(index === count - 1)).flat()
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, ...blocks])
}

const gzipBomb = (beginning: string, piece: string | Buffer, times: number): Buffer =>
  Buffer.concat([gzipSync(beginning), ...new Array<Buffer>(times).fill(gzipSync(piece))])

const mebibyte = 1024 * 1024

describe("files that unpack to more than anybody has memory for", () => {
  const trace = "time,key,size,op\n"
  const bombs: ReadonlyArray<readonly [what: string, bytes: () => Buffer, says: RegExp]> = [
    [
      "one line that never ends",
      () => gzipBomb(trace, Buffer.alloc(10 * mebibyte, 0x61), 120),
      /line 2 is longer than 1 MiB/
    ],
    [
      "a quote that never closes",
      () => gzipBomb(`${trace}0,"`, "x\n".repeat(mebibyte), 100),
      /line 2: a quote that never closes/
    ],
    ["zeros in zstd", () => zstdBomb(10_000, 0), /none of its first \d+ lines holds a request/],
    ["line ends in zstd", () => zstdBomb(10_000, 10), /is empty/],
    [
      "lines that fit nothing",
      () => gzipBomb("", "hello world\n".repeat(mebibyte), 100),
      /none of its first \d+ lines .* "hello world"/
    ],
    [
      "one request, then nothing",
      () => gzipBomb(`${trace}0,a,1,r\n`, Buffer.alloc(10 * mebibyte, 0x0a), 120),
      /hold only 1 requests/
    ]
  ]
  for (const [what, bytes, says] of bombs) {
    it.effect(`are refused: ${what}`, () =>
      Effect.gen(function* () {
        const { detail } = yield* Effect.flip(readBytes(bytes()))
        expect(detail).toMatch(says)
      })
    )
  }

  it.effect("are refused when they hold more requests or keys than there may be, or read as far as was asked", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 200 }, (_, index) => `${index},k${index % 90},1,r\n`).join("")
      const limits = { rows: 100, names: 50 }
      const tooMany = yield* Effect.flip(readBytes(trace + rows, { limits }, "t.csv"))
      expect(tooMany.detail).toMatch(/t\.csv has more than 50 keys: give --requests 50 /)
      const read = yield* readBytes(trace + rows, { limits, first: 50 })
      expect(read.keys.length).toBe(50)
    })
  )

  it("take a bounded memory, as the process itself tells", () => {
    const file = join(mkdtempSync(join(tmpdir(), "larder-bomb-")), "bomb.gz")
    writeFileSync(file, gzipBomb("", Buffer.alloc(10 * mebibyte, 0x61), 120))
    const script = `
      const { read } = await import("./src/entry/replay/readers/traceFile.ts")
      const Effect = await import("effect/Effect")
      await Effect.runPromise(Effect.flip(read(process.argv[1])))
      const { readFileSync } = await import("node:fs")
      console.log(/VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1])`
    const { stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", script, file],
      {
        encoding: "utf8"
      }
    )
    expect(stderr).toBe("")
    expect(Number(stdout)).toBeGreaterThan(0)
    expect(Number(stdout) / 1024).toBeLessThan(512)
  })
})
