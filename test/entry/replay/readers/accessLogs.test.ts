import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { parseClf } from "../../../../src/entry/replay/readers/accessLogs.ts"
import { readBytes, rowsOf } from "../../../support/replay/traceFiles.ts"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (number: number): string => String(number).padStart(2, "0")

/** A moment (whole seconds) as a server `zone` minutes east of Greenwich would log it. */
const logged = (at: number, zone: number): string => {
  const local = new Date(at + zone * 60_000)
  const day = `${two(local.getUTCDate())}/${months[local.getUTCMonth()]}/${local.getUTCFullYear()}`
  const offset = Math.abs(zone)
  return `${day}:${local.toISOString().slice(11, 19)} ${zone < 0 ? "-" : "+"}${two(Math.floor(offset / 60))}${two(offset % 60)}`
}

const operations = {
  GET: "read",
  HEAD: "read",
  PUT: "write",
  PATCH: "write",
  POST: "write",
  DELETE: "delete",
  PURGE: "delete"
} as const

const date = "10/Oct/2000:13:55:36 +0000"

/** A line of one client for a request, a status and bytes. */
const line = (request: string, status: string | number, bytes: string | number, when = date): string =>
  `10.0.0.1 - - [${when}] "${request}" ${status} ${bytes}`

describe("access logs in common and combined format", () => {
  it("are read back as a server printed them, with and without a virtual host, in any time zone", () => {
    fc.assert(
      fc.property(
        fc.record({
          seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
          zone: fc.integer({ min: -12 * 4, max: 14 * 4 }).map((quarters) => quarters * 15),
          method: fc.constantFrom(...(Object.keys(operations) as Array<keyof typeof operations>)),
          path: fc.webPath().map((path) => `/${path.replace(/^\//, "")}`),
          query: fc.option(fc.webQueryParameters(), { nil: undefined }),
          client: fc.oneof(fc.ipV4(), fc.ipV6()),
          user: fc.constantFrom("-", "frank", "Jane Doe"),
          bytes: fc.nat(),
          vhost: fc.option(fc.domain(), { nil: undefined }),
          port: fc.constantFrom("", ":80", ":443"),
          gap: fc.constantFrom(" ", "  "),
          combined: fc.boolean()
        }),
        ({ bytes, client, combined, gap, method, path, port, query, seconds, user, vhost, zone }) => {
          const target = query === undefined ? path : `${path}?${query}`
          const who = `${vhost === undefined ? "" : `${vhost}${port} `}${client} - ${user}`
          const text = `${who} [${logged(seconds * 1000, zone)}] "${method}${gap}${target}${gap}HTTP/1.1"${gap}200 ${bytes}`
          expect(parseClf(combined ? `${text} "https://example.org/\\"x" "Mozilla/5.0 (X11)"` : text)).toEqual({
            at: seconds * 1000,
            key: `${vhost?.toLowerCase() ?? ""}${target}`,
            size: method === "GET" ? bytes : undefined,
            operation: operations[method],
            session: client
          })
        }
      )
    )
  })

  it("take whatever the response of a write weighs for no size of its value", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("PUT", "POST", "PATCH", "HEAD"),
        fc.constantFrom(0, "-", 17, 100_000),
        fc.constantFrom(200, 201, 204),
        (method, bytes, status) => {
          const unknown = parseClf(line(`${method} /a HTTP/1.1`, status, "-"))
          expect(parseClf(line(`${method} /a HTTP/1.1`, status, bytes))).toEqual(unknown)
          expect(unknown).toMatchObject({ size: undefined })
        }
      )
    )
    for (const status of [206, 304, 404, 500]) {
      expect(parseClf(line("GET /a HTTP/1.1", status, 153))).toMatchObject({ size: undefined })
    }
    expect(parseClf(line("GET /a HTTP/1.1", 200, "-"))).toEqual(parseClf(line("GET /a HTTP/1.1", 200, 0)))
  })

  it("have no write where the server refused it or sent it elsewhere", () => {
    for (const status of [301, 307, 308, 400, 403, 404, 409, 412, 429, 499, 500, 503]) {
      for (const method of ["PUT", "POST", "PATCH", "DELETE", "PURGE"]) {
        expect(parseClf(line(`${method} /a HTTP/1.1`, status, 9))).toBe("refused")
      }
    }
    for (const status of [200, 201, 202, 204, 302, 303]) {
      expect(parseClf(line("POST /a HTTP/1.1", status, 9))).toMatchObject({ operation: "write" })
    }
  })

  const keys: ReadonlyArray<readonly [request: string, key: string]> = [
    ["GET http://Example.org/a?b=c HTTP/1.0", "example.org/a?b=c"],
    ["GET https://example.org:443/a HTTP/2.0", "example.org/a"],
    ["GET http://example.org HTTP/1.1", "example.org/"],
    ["GET http://example.org:8080?x HTTP/1.1", "example.org:8080/?x"],
    ["GET http://u:p@example.org/a#top HTTP/1.1", "example.org/a"],
    ["GET /a b/c d.html HTTP/1.1", "/a b/c d.html"],
    ["GET /?q= HTTP/ HTTP/1.1", "/?q= HTTP/"],
    ["GET  /a   HTTP/1.1", "/a"],
    ["GET /a", "/a"],
    ['GET /a?q=\\"x\\" HTTP/1.1', '/a?q=\\"x\\"'],
    ["GET //double//slash HTTP/1.1", "//double//slash"]
  ]
  for (const [request, key] of keys) {
    it(`key ${request} as ${key}`, () => expect(parseClf(line(request, 200, 1))).toMatchObject({ key }))
  }

  const peers: ReadonlyArray<readonly [who: string, session: string, key: string]> = [
    ["example.org:443 10.0.0.1 - -", "10.0.0.1", "example.org/a"],
    ["Example.ORG:8443 10.0.0.1 - frank", "10.0.0.1", "example.org:8443/a"],
    ["example.org 2001:db8::1 - -", "2001:db8::1", "example.org/a"],
    ["example.org 10.0.0.1 - Jane Doe", "10.0.0.1", "example.org/a"],
    ["203.0.113.7, 10.0.0.1 - -", "203.0.113.7", "/a"],
    ["client.example.org - Jane Doe", "client.example.org", "/a"],
    ["<190>Nov 27 10:00:00 web1 nginx: 10.0.0.1 - -", "10.0.0.1", "/a"],
    ["web_1  | 10.0.0.1 - -", "10.0.0.1", "/a"]
  ]
  for (const [who, session, key] of peers) {
    it(`tell client and host of "${who}"`, () =>
      expect(parseClf(`${who} [${date}] "GET /a HTTP/1.1" 200 1`)).toMatchObject({ session, key }))
  }

  const dates: ReadonlyArray<readonly [text: string, at: string | undefined]> = [
    ["10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000Z"],
    ["10/Oct/2000:13:55:36.789 +0000", "2000-10-10T13:55:36.789Z"],
    ["10/Oct/2000:13:55:36,5 +05:30", "2000-10-10T08:25:36.500Z"],
    ["2000-10-10T13:55:36+02:00", "2000-10-10T11:55:36.000Z"],
    ["2000-10-10 13:55:36.123456Z", "2000-10-10T13:55:36.123Z"],
    ["29/Feb/2024:00:00:00 +0000", "2024-02-29T00:00:00.000Z"],
    ["31/Dec/2016:23:59:60 +0000", "2016-12-31T23:59:59.999Z"],
    ["29/Feb/2023:00:00:00 +0000", undefined],
    ["30/Feb/2024:00:00:00 +0000", undefined],
    ["20240305T000001Z", "2024-03-05T00:00:01.000Z"],
    ["20240305T013001.5+0130", "2024-03-05T00:00:01.500Z"],
    ["20240230T000001Z", undefined],
    ["Tue, 05 Mar 2024 00:00:01 GMT", "2024-03-05T00:00:01.000Z"],
    ["5 Mar 2024 00:00:01 +0100", "2024-03-04T23:00:01.000Z"],
    ["Fri, 30 Feb 2024 00:00:01 GMT", undefined],
    ["31/Apr/2024:00:00:00 +0000", undefined],
    ["10/Foo/2000:00:00:00 +0000", undefined],
    ["10/Oct/2000:25:00:00 +0000", undefined],
    ["10/Oct/2000:24:00:00 +0000", undefined],
    ["10/Oct/2000:13:61:00 +0000", undefined],
    ["10/Oct/2000:13:55:61 +0000", undefined],
    ["10/Oct/2000:13:55:36 +9900", undefined],
    ["2023-02-29T00:00:00Z", undefined],
    ["2023-13-01T00:00:00Z", undefined],
    ["yesterday", undefined]
  ]
  for (const [text, at] of dates) {
    it(`read the date ${text} as ${at ?? "none"}`, () => {
      const parsed = parseClf(line("GET /a HTTP/1.1", 200, 1, text))
      if (at === undefined) expect(parsed).toBe("other")
      else expect(parsed).toMatchObject({ at: Date.parse(at) })
    })
  }

  const empty = [
    line("", 400, 0),
    line("\\x16\\x03\\x01", 400, 150),
    line("OPTIONS * HTTP/1.1", 200, 0),
    line("CONNECT example.org:443 HTTP/1.1", 405, 0),
    line("GET * HTTP/1.1", 400, 0),
    line("-", 408, "-")
  ]
  for (const text of empty) it(`hold no request in ${text}`, () => expect(parseClf(text)).toBe("other"))

  for (const text of ["", "hello", line("GET / HTTP/1.1", "OK", 0)]) {
    it(`have no line ${JSON.stringify(text)}`, () => expect(parseClf(text)).toBeUndefined())
  }

  it.effect("keep what bytes tell apart, in UTF-8 or not", () =>
    Effect.gen(function* () {
      const bytes = [[0xe9], [0xc3, 0xa9], [0xe8], [0xff, 0xfe], [0xed, 0xa0, 0x80], [0xc3]].flatMap((key) => [
        Buffer.concat([
          Buffer.from('10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /'),
          Buffer.from(key),
          Buffer.from(' HTTP/1.1" 200 5\n')
        ])
      ])
      const trace = yield* readBytes(Buffer.concat([...bytes, ...bytes]))
      expect(trace.keys).toHaveLength(6)
      expect(new Set(trace.keys).size).toBe(6)
      expect(trace.keys).toContain("/é")
      expect(trace.notes.hashedKeys).toBe(5)
    })
  )

  it.effect("begin without the keys that were not found, and count what was left out", () =>
    Effect.gen(function* () {
      const at = (second: number) => `10/Oct/2000:13:55:${two(second)} +0000`
      const lines = [
        line("GET /gone HTTP/1.1", 404, 153, at(3)),
        line("GET /made HTTP/1.1", 404, 153, at(4)),
        line("PUT /made HTTP/1.1", 201, 0, at(5)),
        line("GET /made HTTP/1.1", 200, 7000, at(6)),
        line("GET /found HTTP/1.1", 404, 153, at(7)),
        line("GET /found HTTP/1.1", 200, 10, at(8)),
        line("GET /there HTTP/1.1", 200, 20, at(9)),
        line("GET /there HTTP/1.1", 404, 153, at(9)),
        line("PUT /refused HTTP/1.1", 403, 0, at(10)),
        line("OPTIONS * HTTP/1.1", 200, 0, at(10)),
        line("GET /there HTTP/1.1", 200, 30, "30/Feb/2000:00:00:00 +0000"),
        line("GET /there HTTP/1.1", 200, 30, at(2)),
        "",
        "rubbish"
      ]
      const trace = yield* readBytes(`\ufeff${lines.join("\r\n").replace("\r\n", "\n")}`)
      expect(rowsOf(trace).map(({ key, operation, size }) => [key, operation, size])).toEqual([
        ["/there", "read", 30],
        ["/gone", "read", 30],
        ["/made", "read", 7000],
        ["/made", "write", 7000],
        ["/made", "read", 7000],
        ["/found", "read", 10],
        ["/found", "read", 10],
        ["/there", "read", 20],
        ["/there", "read", 30]
      ])
      expect(trace.keys.filter((_, key) => trace.startsAbsent[key] === 1)).toEqual(["/gone", "/made"])
      expect(trace.notes).toMatchObject({
        unparsed: 3,
        refusedWrites: 1,
        reordered: 1,
        unsizedKeys: 1,
        assumedSize: 30
      })
    })
  )
})
