import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as replayCsv from "../../../src/entry/replay/replayCsv.ts"
import * as replayFile from "../../../src/entry/replay/replayFile.ts"
import { epoch, type Trace } from "../../../src/services/replay/model/Trace.ts"

const folder = mkdtempSync(join(tmpdir(), "larder-csv-"))

const readBytes = (bytes: Uint8Array | string, name = "trace.csv") => {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return replayFile.read(file, replayCsv.read)
}

const rowsOf = (trace: Trace) =>
  Array.from(trace.at, (at, row) => ({
    seconds: (at - epoch) / 1000,
    key: trace.keys[trace.key[row]!],
    size: trace.size[row],
    op: "rwd"[trace.operation[row]!],
    session: trace.session[row]
  }))

const header = "time,key,size,op\n"

describe("replayCsv", () => {
  it.effect("reads back what was printed, any key, packed or not", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              seconds: fc.nat(100_000),
              key: fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((key) => !/^\.\.?$/.test(key)),
              size: fc.nat(10_000),
              op: fc.constantFrom("r", "w", "d"),
              session: fc.integer({ min: -1, max: 3 })
            }),
            { minLength: 1, maxLength: 20 }
          ),
          fc.boolean(),
          fc.constantFrom("\n", "\r\n"),
          async (rows, packed, newline) => {
            const printed = rows
              .toSorted((a, b) => a.seconds - b.seconds)
              .map(({ key, op, seconds, session, size }) =>
                [seconds, `"${key.replaceAll('"', '""')}"`, size, op, session === -1 ? "" : `s${session}`].join(",")
              )
            const text = ["time,key,size,op,session", ...printed, ""].join(newline)
            const trace = await Effect.runPromise(readBytes(packed ? gzipSync(text) : text))
            const sorted = rows.toSorted((a, b) => a.seconds - b.seconds)
            const sessions = [...new Set(sorted.flatMap(({ session }) => (session === -1 ? [] : session)))]
            expect(rowsOf(trace)).toEqual(
              sorted.map((row) => ({
                ...row,
                seconds: row.seconds - sorted[0]!.seconds,
                session: sessions.indexOf(row.session)
              }))
            )
          }
        ),
        { numRuns: 50 }
      )
    )
  )

  it.effect("takes a byte order mark, plain and quoted fields, fractions of seconds, and blank lines at the end", () =>
    Effect.gen(function* () {
      const trace = yield* readBytes(`\ufeff${header}10.5,a,1,r\n11,"b,""c""",2,w\n\n`)
      expect(rowsOf(trace)).toEqual([
        { seconds: 0, key: "a", size: 1, op: "r", session: -1 },
        { seconds: 0.5, key: 'b,"c"', size: 2, op: "w", session: -1 }
      ])
    })
  )

  it.effect("names a trace after its file, without the endings", () =>
    Effect.gen(function* () {
      expect((yield* readBytes(gzipSync(`${header}0,a,1,r\n`), "web.12.csv.gz")).name).toBe("web.12")
      expect((yield* readBytes(`${header}0,a,1,r\n`, "plain")).name).toBe("plain")
    })
  )

  const cases: ReadonlyArray<readonly [what: string, bytes: Uint8Array | string, says: RegExp]> = [
    ["an empty file", "", /the file is empty/],
    ["a header and no rows", header, /holds no request/],
    ["no header", "0,a,1,r\n", /line 1 is "0,a,1,r"/],
    ["another header", "time;key;size;op\n", /line 1 is "time;key;size;op": make it time,key,size,op/],
    ["a column too few", `${header}0,a,1,r\n1,b,1\n`, /line 3: 3 fields where the header has 4/],
    ["a column too many", `${header}0,a,1,r,s\n`, /line 2: 5 fields/],
    ["a time that is none", `${header}0,a,1,r\nnoon,a,1,r\n`, /line 3: time "noon"/],
    ["a missing time", `${header},a,1,r\n`, /line 2: time ""/],
    ["an infinite time", `${header}Infinity,a,1,r\n`, /line 2: time "Infinity"/],
    ["a key that is empty", `${header}0,,1,r\n`, /line 2: the key is empty/],
    ["a negative size", `${header}0,a,-1,r\n`, /line 2: size "-1"/],
    ["a size that is no number", `${header}0,a,big,r\n`, /line 2: size "big"/],
    ["an unknown operation", `${header}0,a,1,r\n0,a,1,x\n`, /line 3: op "x" must be r, w or d/],
    ["an operation of another kind", `${header}0,a,1,constructor\n`, /line 2: op "constructor"/],
    ["a quote that never closes", `${header}0,a,1,r\n0,"a,1,r\n`, /line \d+: /],
    ["broken gzip", gzipSync(`${header}0,a,1,r\n`).subarray(0, 20), /cannot be read/]
  ]
  for (const [what, bytes, says] of cases) {
    it.effect(`refuses ${what} in one line`, () =>
      Effect.gen(function* () {
        const { detail } = yield* Effect.flip(readBytes(bytes))
        expect(detail).toMatch(says)
        expect(detail).not.toContain("\n")
      })
    )
  }

  it.effect("refuses a file that is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(replayFile.read(join(folder, "none.csv"), replayCsv.read))
      expect(error.reason).toBe("NoFile")
      expect(error.detail).toContain("none.csv cannot be read")
    })
  )
})
