import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { parseLine, read } from "../../../src/entry/replay/replayClf.ts"
import * as replayFile from "../../../src/entry/replay/replayFile.ts"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (number: number): string => String(number).padStart(2, "0")

/** A moment (whole seconds) as a server `zone` minutes east of Greenwich would log it. */
const logged = (at: number, zone: number): string => {
  const local = new Date(at + zone * 60_000)
  const day = `${two(local.getUTCDate())}/${months[local.getUTCMonth()]}/${local.getUTCFullYear()}`
  const offset = Math.abs(zone)
  return `${day}:${local.toISOString().slice(11, 19)} ${zone < 0 ? "-" : "+"}${two(Math.floor(offset / 60))}${two(offset % 60)}`
}

const operations = { GET: "read", HEAD: "read", PUT: "write", PATCH: "write", POST: "write", DELETE: "delete" } as const

describe("replayClf", () => {
  it("reads back what a server printed, common or combined, in any time zone", () => {
    fc.assert(
      fc.property(
        fc.record({
          seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
          zone: fc.integer({ min: -12 * 4, max: 14 * 4 }).map((quarters) => quarters * 15),
          method: fc.constantFrom(...(Object.keys(operations) as Array<keyof typeof operations>)),
          path: fc.webPath().map((path) => `/${path.replace(/^\//, "")}`),
          query: fc.option(fc.webQueryParameters(), { nil: undefined }),
          host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
          user: fc.constantFrom("-", "frank", "Jane Doe"),
          bytes: fc.option(fc.nat(), { nil: undefined }),
          combined: fc.boolean()
        }),
        ({ bytes, combined, host, method, path, query, seconds, user, zone }) => {
          const key = query === undefined ? path : `${path}?${query}`
          const text = `${host} - ${user} [${logged(seconds * 1000, zone)}] "${method} ${key} HTTP/1.1" 200 ${bytes ?? "-"}`
          expect(parseLine(combined ? `${text} "https://example.org/\\"x" "Mozilla/5.0 (X11)"` : text)).toEqual({
            at: seconds * 1000,
            key,
            size: bytes,
            operation: operations[method],
            session: host
          })
        }
      )
    )
  })

  it("keys a proxied request by path and query alone", () => {
    const text = '::1 - - [10/Oct/2000:13:55:36 -0700] "GET http://example.org/a?b=c HTTP/1.0" 200 2326'
    expect(parseLine(text)).toMatchObject({ key: "/a?b=c", at: Date.UTC(2000, 9, 10, 20, 55, 36) })
  })

  const broken = [
    "",
    "hello",
    '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "" 400 0',
    '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "\\x16\\x03\\x01" 400 150',
    '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "OPTIONS * HTTP/1.1" 200 0',
    '1.2.3.4 - - [10/Foo/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 0',
    '1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 0',
    '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" OK 0'
  ]
  for (const text of broken) {
    it(`finds no request in ${JSON.stringify(text)}`, () => expect(parseLine(text)).toBeUndefined())
  }

  it.effect("leaves out and counts the lines without a request, and puts the others in order", () =>
    Effect.gen(function* () {
      const file = join(mkdtempSync(join(tmpdir(), "larder-clf-")), "access.log")
      const line = (second: number, size: string) =>
        `10.0.0.${second} - - [10/Oct/2000:13:55:${two(second)} +0000] "GET /a HTTP/1.1" 200 ${size}`
      writeFileSync(file, [line(3, "7"), broken[3], line(1, "-"), "", line(2, "5"), "rubbish"].join("\n"))
      const trace = yield* replayFile.read(file, read)
      expect(trace.name).toBe("access")
      expect([...trace.size]).toEqual([7, 5, 7])
      expect(trace.notes).toEqual({ hashedKeys: 0, cappedValues: 0, reordered: 1, unparsed: 2 })
      writeFileSync(file, broken.join("\n"))
      expect((yield* Effect.flip(replayFile.read(file, read))).reason).toBe("Empty")
    })
  )
})
