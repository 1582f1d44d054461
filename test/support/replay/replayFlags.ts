import * as Option from "effect/Option"
import type { ReplayFlags } from "../../../src/entry/replay/replayOptions.ts"

export type Given = Partial<{ readonly [K in Exclude<keyof ReplayFlags, "json">]: string }>

/** The flags as the command line would give them. */
export const flagsOf = (given: Given): ReplayFlags => {
  const text = (name: keyof Given) => Option.fromNullable(given[name])
  return {
    trace: text("trace"),
    format: text("format"),
    columns: text("columns"),
    requests: text("requests"),
    scenario: text("scenario"),
    stack: text("stack"),
    without: text("without"),
    memory: text("memory"),
    ttl: text("ttl"),
    isolates: text("isolates"),
    locations: text("locations"),
    isolateLife: text("isolateLife"),
    shards: text("shards"),
    cacheAside: text("cacheAside"),
    fills: text("fills"),
    plan: text("plan"),
    budgetWrites: text("budgetWrites"),
    prefetchPrecision: text("prefetchPrecision"),
    seed: text("seed"),
    json: true,
    report: text("report")
  }
}
