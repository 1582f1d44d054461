import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { type ReplayResult, replay, type StackResult } from "../../../src/entry/replay/replay.ts"
import { optionsOf } from "../../../src/entry/replay/replayOptions.ts"
import { flagsOf, type Given } from "./replayFlags.ts"

const folder = mkdtempSync(join(tmpdir(), "larder-replay-"))

/** Replays in silence; notes go where they are wanted. */
export const run = (given: Given, notes: Array<string> = []) =>
  Effect.flatMap(optionsOf(flagsOf(given)), (options) =>
    replay(options, { note: (line) => notes.push(line), begin: () => {}, advance: () => {}, end: () => {} })
  )

export const result = (given: Given, notes?: Array<string>): Effect.Effect<ReplayResult, Error> =>
  Effect.map(run(given, notes), ({ result }) => result)

/** A file with the header and these lines. */
export const csv = (header: string, lines: ReadonlyArray<string>): string => {
  const file = join(folder, "t.csv")
  writeFileSync(file, [header, ...lines, ""].join("\n"))
  return file
}

/** A trace of rows without sizes that matter: `0,a,r` or, with a session, `0,a,r,s`. */
export const trace = (...rows: ReadonlyArray<string>): string => {
  const withSession = rows.some((row) => row.split(",").length === 4)
  const lines = rows.map((row) => {
    const [time, key, op, session] = row.split(",")
    return [time, key, 100, op, ...(withSession ? [session ?? ""] : [])].join(",")
  })
  return csv(`time,key,size,op${withSession ? ",session" : ""}`, lines)
}

export const stackOf = (replayed: ReplayResult, name: string): StackResult => {
  const found = replayed.stacks.find(({ stack }) => stack === name)
  if (found === undefined) throw new Error(`no stack ${name}`)
  return found
}

/** Requests within ten seconds by anyone for anything, as {@link trace} takes them; `pace` stretches the seconds. */
export const anyRequests = (pace: number): fc.Arbitrary<ReadonlyArray<string>> =>
  fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: 40 }).map((quarter) => (quarter / 4) * pace),
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom("r", "r", "r", "w", "d"),
        fc.constantFrom("s", "t", "u")
      ),
      { minLength: 1, maxLength: 40 }
    )
    .map((rows) => rows.toSorted((a, b) => a[0] - b[0]).map((row) => row.join(",")))
