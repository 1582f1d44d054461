import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { read } from "../../../../src/entry/replay/readers/traceFile.ts"
import { epoch, type Trace } from "../../../../src/services/replay/model/Trace.ts"
import { rowsOf as datedRowsOf, readBytes as readFile } from "../../../support/replay/traceFiles.ts"
import { runs } from "../../../support/runs.ts"

const readBytes = (bytes: Uint8Array | string, name = "trace.csv") => readFile(bytes, { format: "csv" }, name)

const rowsOf = (trace: Trace) =>
  Array.from(trace.at, (at, row) => ({
    seconds: (at - epoch) / 1000,
    key: trace.keys[trace.key[row]!],
    size: trace.size[row],
    op: "rwd"[trace.operation[row]!],
    session: trace.session[row]
  }))

const header = "time,key,size,op\n"

describe("traces in CSV", () => {
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
        { numRuns: runs(50) }
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
    ["an empty file", "", /is empty/],
    ["a header and no rows", header, /none of its 1 lines holds a request, the first is "time,key,size,op"/],
    ["no header", "0,a,1,r\n", /line 1 is "0,a,1,r"/],
    ["another header", "when;what;how\n", /line 1 is "when;what;how": make it time,key,size,op/],
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

  it.effect("are strict: a date that there is not is refused, not left out", () =>
    Effect.gen(function* () {
      const { detail } = yield* Effect.flip(readBytes(`${header}2023-02-28,a,1,r\n2023-02-30,a,1,r\n`))
      expect(detail).toMatch(/line 3: time "2023-02-30"|line 3: op/)
    })
  )

  const day = "2024-03-05T00:00:0"
  const row = (second: number, key: string, size: number, operation: string, more: object = {}) => ({
    at: `${day}${second}.000Z`,
    key,
    size,
    operation,
    session: -1,
    ...more
  })
  const dated: ReadonlyArray<readonly [what: string, text: string]> = [
    ["seconds", "time,key,size,op\n1709596800,a,1,r\n1709596801,b,2,w\n"],
    ["milliseconds", "timestamp,key,bytes,op\n1709596800000,a,1,get\n1709596801000,b,2,set\n"],
    ["microseconds", "ts,key,size,op\n1709596800000000,a,1,GET\n1709596801000000,b,2,update\n"],
    [
      "units in the names",
      "Timestamp (ms);Object ID;Value Size;Operation\n1709596800000;a;1;GET\n1709596801000;b;2;SET\n"
    ],
    ["units in camel case", "timestampUs,key,size,op\n1709596800000000,a,1,GET\n1709596801000000,b,2,SET\n"],
    [
      "dates of mail",
      'time,key,size,op\n"Tue, 05 Mar 2024 00:00:00 GMT",a,1,r\n"Tue, 05 Mar 2024 00:00:01 GMT",b,2,w\n'
    ],
    ["nanoseconds", "ts,key,size,op\n1709596800000000000,a,1,R\n1709596801000000000,b,2,W\n"],
    ["ISO dates", `time,key,size,op\n${day}0Z,a,1,r\n${day}1+00:00,b,2,w\n`],
    ["dates without a zone", "time,key,size,op\n2024-03-05 00:00:00,a,1,r\n2024-03-05 00:00:01.000,b,2,w\n"],
    ["semicolons", `time;key;size;op\n${day}0Z;a;1;r\n${day}1Z;b;2;w\n`],
    ["tabs and quotes", `"time"\t"key"\t"size"\t"op"\r\n"${day}0Z"\t"a"\t"1"\t"r"\r\n${day}1Z\tb\t2\tw`],
    ["other names and order", `op,obj_size,obj_id,timestamp\nread,1,a,${day}0Z\nwrite,2,b,${day}1Z\n`],
    [
      "bad rows among good ones",
      `op,obj_size,obj_id,timestamp\nread,1,a,${day}0Z\nread,x,a,${day}0Z\nwrite,2,b,${day}1Z\n`
    ]
  ]
  for (const [what, text] of dated) {
    it.effect(`are read with ${what}`, () =>
      Effect.gen(function* () {
        expect(datedRowsOf(yield* readFile(text, {}, "t.csv"))).toEqual([
          row(0, "a", 1, "read"),
          row(1, "b", 2, "write")
        ])
      })
    )
  }

  it.effect("have the columns that they are told to have, by name or by place", () =>
    Effect.gen(function* () {
      const named =
        "url,ts,bytes,method,max_age\n/a,1709596800,10,GET,\n/b,1709596801,3,PUT,60\n/a,1709596802,,PURGE,\n"
      const columns = { key: "url", time: "ts", size: "bytes", op: "method", ttl: "max_age" }
      const rows = [row(0, "/a", 10, "read"), row(1, "/b", 10, "write", { ttl: 60_000 }), row(2, "/a", 10, "delete")]
      expect(datedRowsOf(yield* readFile(named, { columns }))).toEqual(rows)
      const places = { key: "1", time: "2", size: "3", op: "4", ttl: "5" }
      expect(datedRowsOf(yield* readFile(named.replace(/^.*\n/, ""), { columns: places }))).toEqual(rows)
      const spaced = named.replaceAll(",", ";")
      expect(datedRowsOf(yield* readFile(spaced, { columns, format: "csv" }))).toEqual(rows)
      const { detail } = yield* Effect.flip(readFile(named, { columns: { key: "uri" } }))
      expect(detail).toContain("--columns key=uri: the header has url, ts, bytes, method, max_age")
    })
  )

  it.effect("without times are a second apart, and without operations reads", () =>
    Effect.gen(function* () {
      const trace = yield* readFile("object,bytes\nx,1\ny,2\nx,1\n")
      expect([...trace.at].map((at) => (at - trace.at[0]!) / 1000)).toEqual([0, 1, 2])
      expect([...trace.operation]).toEqual([0, 0, 0])
    })
  )

  it.effect("of Twitter have the value's bytes, the client, and a ttl for what is set", () =>
    Effect.gen(function* () {
      const text =
        "0,q:1,4,90,7,get,0\n0,q:2,4,0,8,gets,0\n1,q:2,4,33,8,set,3600\n1,q:1,4,9,7,cas,0\n2,q:1,4,0,7,delete,0\n"
      for (const format of [undefined, "twitter"] as const) {
        const trace = yield* readFile(text, { format }, "cluster52.csv")
        expect(rowsOf(trace)).toEqual([
          { seconds: 0, key: "q:1", size: 90, op: "r", session: 0 },
          { seconds: 0, key: "q:2", size: 0, op: "r", session: 1 },
          { seconds: 1, key: "q:2", size: 33, op: "w", session: 1 },
          { seconds: 1, key: "q:1", size: 9, op: "w", session: 0 },
          { seconds: 2, key: "q:1", size: 0, op: "d", session: 0 }
        ])
        expect([...trace.ttl]).toEqual([0, 0, 3_600_000, 0, 0])
      }
    })
  )

  it.effect("of libCacheSim come with and without a header, an operation, or further columns", () =>
    Effect.gen(function* () {
      const plain = [
        { seconds: 0, key: "1001", size: 512, op: "r", session: -1 },
        { seconds: 5, key: "1002", size: 64, op: "r", session: -1 }
      ]
      for (const text of [
        "10,1001,512\n15,1002,64\n",
        "#time,obj_id,obj_size\n10,1001,512\n15,1002,64\n",
        "10,1001,512,-2\n15,1002,64,7\n",
        "10,1001,512,read\n15,1002,64,get\n",
        "10\t1001\t512\n15\t1002\t64\n",
        "10 1001 512\n15 1002 64\n"
      ]) {
        expect(rowsOf(yield* readFile(text, { format: "libcachesim" })), text).toEqual(plain)
        expect(rowsOf(yield* readFile(text)), text).toEqual(plain)
      }
    })
  )

  it.effect("refuses a file that is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read("/nowhere/none.csv"))
      expect(error.reason).toBe("NoFile")
      expect(error.detail).toContain("none.csv cannot be read")
    })
  )
})
