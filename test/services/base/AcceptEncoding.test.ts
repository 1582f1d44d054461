import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import Negotiator from "negotiator"
import { type ContentCoding, negotiate } from "../../../src/services/base/model/AcceptEncoding.ts"
import { runs } from "../../support/runs.ts"

const available = ["br", "gzip", "deflate"] as const satisfies ReadonlyArray<ContentCoding>

const weight = fc.constantFrom("", ";q=1", ";q=0", ";q=0.5", "; q=0.8", ";q=0.001")
const coding = fc.constantFrom("gzip", "br", "deflate", "identity", "*", "zstd", "GZIP")
const header = fc
  .uniqueArray(fc.tuple(coding, weight), { selector: ([name]) => name.toLowerCase(), maxLength: 6 })
  .map((parts) => parts.map(([name, q]) => name + q).join(", "))

describe("negotiation of content codings", () => {
  it.each([
    [null, "identity"],
    [undefined, "identity"],
    ["", "identity"],
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip;q=1.0, br;q=0.5", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["*", "br"],
    ["*;q=0", undefined],
    ["identity;q=0", undefined],
    ["identity, gzip;q=0.5", "identity"],
    ["gzip;q=0", "identity"],
    ["gzip;q=2", "identity"],
    ["zstd", "identity"]
  ])("%s is answered with %s", (given, expected) => {
    expect(negotiate(given, available)).toBe(expected)
  })

  it("chooses what the well-kept negotiator accepts, with the highest weight there is", () => {
    const property = fc.property(header, (given) => {
      const accepted = new Negotiator({ headers: { "accept-encoding": given } }).encodings([...available, "identity"])
      const chosen = negotiate(given, available)
      if (chosen === undefined) expect(accepted.filter((it) => it !== "identity")).toStrictEqual([])
      else expect(accepted).toContain(chosen)
    })
    fc.assert(property, { numRuns: runs(2000) })
  })
})
