import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { optionsOf, type Part, partsNamed } from "../../../src/entry/replay/replayOptions.ts"
import { flagsOf, type Given } from "../../support/replay/replayFlags.ts"

const options = (given: Given) => Effect.runSync(optionsOf(flagsOf(given)))

describe("optionsOf", () => {
  it("replays a trace on one immortal isolate without a ttl", () => {
    expect(options({ trace: "t.csv" })).toMatchObject({
      source: { kind: "trace", file: "t.csv", format: undefined, columns: undefined },
      first: undefined,
      stacks: ["direct", "kv"],
      ttl: Number.POSITIVE_INFINITY,
      isolates: 1,
      locations: 1,
      isolateLife: Number.POSITIVE_INFINITY,
      plan: "paid",
      seed: 1
    })
  })

  it("replays a scenario on six isolates in three locations that live a quarter of an hour", () => {
    expect(options({ scenario: "alerts" })).toMatchObject({
      ttl: undefined,
      isolates: 6,
      locations: 3,
      isolateLife: 900
    })
  })

  it("has an isolate for every location, and no location without one", () => {
    expect(options({ trace: "t", locations: "4" })).toMatchObject({ isolates: 4, locations: 4 })
    expect(options({ scenario: "alerts", isolates: "2" })).toMatchObject({ isolates: 2, locations: 2 })
    expect(options({ scenario: "alerts", isolates: "7" })).toMatchObject({ isolates: 7, locations: 3 })
  })

  it("takes memory as bytes or as a share", () => {
    expect(options({ trace: "t" }).memory).toBeUndefined()
    expect(options({ trace: "t", memory: "4096" }).memory).toEqual({ bytes: 4096 })
    expect(options({ trace: "t", memory: "0.1%" }).memory).toEqual({ share: 0.001 })
    expect(options({ trace: "t", memory: "100%" }).memory).toEqual({ share: 1 })
  })

  it("takes seconds, or none for ever", () => {
    expect(options({ scenario: "alerts", ttl: "30", isolateLife: "none" })).toMatchObject({
      ttl: 30,
      isolateLife: Number.POSITIVE_INFINITY
    })
  })

  it("has one shard and no budget unless told otherwise", () => {
    expect(options({ trace: "t" })).toMatchObject({ shards: 1, budgetWrites: undefined, prefetchPrecision: undefined })
    expect(options({ trace: "t", shards: "64", budgetWrites: "9", prefetchPrecision: "0.3" })).toMatchObject({
      shards: 64,
      budgetWrites: 9,
      prefetchPrecision: 0.3
    })
  })

  it("makes a stack of its own part and those before it, of single parts, and without one", () => {
    const parts = (name: string, without?: Part) => [...(partsNamed(name, without) ?? [])]
    expect(parts("direct")).toEqual(["direct"])
    expect(parts("memory")).toEqual(["direct", "static", "alias", "memory"])
    expect(parts("kv")).toEqual(parts("prefetch"))
    expect(parts("durable")).toEqual([...parts("kv"), "durable"])
    expect(parts("direct+pack+batch")).toEqual(["direct", "pack", "batch"])
    expect(parts("memory", "alias")).toEqual(["direct", "static", "memory"])
    expect(options({ scenario: "trading-day", without: "pack" })).toMatchObject({
      source: { kind: "scenario", name: "trading-day" },
      without: "pack"
    })
  })

  it("takes a format and columns by name or place", () => {
    const given = { trace: "t", format: "jsonl", columns: "key=request.uri, time=ts,ttl=5" }
    expect(options(given).source).toEqual({
      kind: "trace",
      file: "t",
      format: "jsonl",
      columns: { key: "request.uri", time: "ts", ttl: "5" }
    })
    expect(options({ trace: "t", format: "auto" }).source).toMatchObject({ format: undefined })
  })

  it("takes so many requests of a trace or scenario, from its beginning", () => {
    expect(options({ trace: "t", requests: "100" }).first).toBe(100)
    expect(options({ scenario: "alerts", requests: "1" }).first).toBe(1)
  })

  const trace = { trace: "t.csv" }
  const refused: ReadonlyArray<readonly [given: Given, says: string]> = [
    [{}, "Give --trace FILE, or --scenario alerts, trading-day or crawler."],
    [{ trace: "t", scenario: "alerts" }, "Give --trace or --scenario, not both."],
    [{ scenario: "alerts", format: "csv" }, "--format is for --trace"],
    [{ scenario: "holiday" }, `--scenario knows no "holiday"`],
    [{ scenario: "alerts", columns: "key=a" }, "--columns is for --trace"],
    [{ ...trace, format: "json" }, `--format knows no "json": choose auto, csv, clf, jsonl, w3c, s3, haproxy`],
    [{ ...trace, columns: "time=ts" }, "--columns must say which field is the key"],
    [{ ...trace, columns: "key=url,when=ts" }, `--columns "when=ts" must be one of time, key`],
    [{ ...trace, columns: "key" }, `--columns "key" must be one of`],
    [{ ...trace, columns: "key=" }, `--columns "key=" must be one of`],
    [{ ...trace, columns: "key=1", format: "clf" }, "--columns is for CSV and JSON lines"],
    [{ ...trace, requests: "0" }, "--requests"],
    [{ ...trace, stack: "direct,fast" }, `--stack knows no "fast"`],
    [{ ...trace, stack: "" }, `--stack knows no ""`],
    [{ ...trace, stack: "direct,,kv" }, `--stack knows no ""`],
    [{ ...trace, stack: "direct+fast" }, `--stack knows no "direct+fast"`],
    [{ ...trace, without: "direct" }, `--without knows no "direct"`],
    [{ ...trace, without: "kv" }, `--without knows no "kv"`],
    [{ ...trace, memory: "0" }, "--memory"],
    [{ ...trace, memory: "1.5" }, "--memory"],
    [{ ...trace, memory: "101%" }, "--memory"],
    [{ ...trace, memory: "0%" }, "--memory"],
    [{ ...trace, memory: "ten%" }, "--memory"],
    [{ ...trace, memory: "10MB" }, "--memory"],
    [{ ...trace, ttl: "0" }, "--ttl"],
    [{ ...trace, ttl: "-1" }, "--ttl"],
    [{ ...trace, ttl: "forever" }, "--ttl"],
    [{ ...trace, ttl: "31536001" }, "--ttl"],
    [{ ...trace, isolates: "0" }, "--isolates"],
    [{ ...trace, isolates: "1001" }, "--isolates"],
    [{ ...trace, isolates: "1e2" }, "--isolates"],
    [{ ...trace, isolates: "2", locations: "3" }, "needs at least as many --isolates"],
    [{ ...trace, isolateLife: "0.5" }, "--isolate-life"],
    [{ ...trace, shards: "0" }, `--shards "0" must be a whole number from 1 to 64.`],
    [{ ...trace, shards: "65" }, "--shards"],
    [{ ...trace, shards: "1.5" }, "--shards"],
    [{ ...trace, plan: "business" }, `--plan knows no "business": choose paid or free.`],
    [{ ...trace, budgetWrites: "-5" }, "--budget-writes"],
    [{ ...trace, seed: "4294967296" }, "--seed"],
    [{ ...trace, seed: "pi" }, "--seed"],
    [{ ...trace, prefetchPrecision: "1" }, "--prefetch-precision"],
    [{ ...trace, prefetchPrecision: "half" }, "--prefetch-precision"]
  ]
  for (const [given, says] of refused) {
    it(`refuses ${JSON.stringify(given)} in one line`, () => {
      const { message } = Effect.runSync(Effect.flip(optionsOf(flagsOf(given))))
      expect(message).toContain(says)
      expect(message).not.toContain("\n")
    })
  }
})
