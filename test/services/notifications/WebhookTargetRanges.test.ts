import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { targetRefusal } from "../../../src/services/notifications/model/WebhookTarget.ts"
import { runs } from "../../support/runs.ts"

/** IANA's IPv4 Special-Purpose Address Registry, multicast and reserved: first and last address. */
const ranges = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.255"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.88.99.0", "192.88.99.255"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "255.255.255.255"]
] as const

const numberOf = (dotted: string) => dotted.split(".").reduce((number, byte) => number * 256 + Number(byte), 0)
const dotted = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".")
const verdict = (host: string) => targetRefusal(`https://${host}/`, false)

describe("addresses that no notification goes to", () => {
  it.each(ranges)("%s to %s: the first, the last and those between; not those beside", (first, last) => {
    const [from, to] = [numberOf(first), numberOf(last)]
    for (const address of [from, from + 1, to - 1, to])
      expect([dotted(address), verdict(dotted(address))]).toStrictEqual([dotted(address), "LocalAddress"])
    fc.assert(
      fc.property(fc.integer({ min: from, max: to }), (address) => {
        expect(verdict(dotted(address))).toBe("LocalAddress")
      }),
      { numRuns: runs(20) }
    )
    for (const beside of [from - 1, to + 1]) {
      if (beside < 0 || beside > 0xffffffff) continue
      const isSpecial = ranges.some(([a, b]) => beside >= numberOf(a) && beside <= numberOf(b))
      expect([dotted(beside), verdict(dotted(beside))]).toStrictEqual([
        dotted(beside),
        isSpecial ? "LocalAddress" : undefined
      ])
    }
  })

  it.each([
    ["2000::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["2001:200::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["2001:db9::", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["2003::", "3ffe:ffff::", true],
    ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["3fff:1000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false]
  ] as const)("%s and %s are public: %s", (first, last, isPublic) => {
    for (const address of [first, last]) {
      expect([address, verdict(`[${address}]`)]).toStrictEqual([address, isPublic ? undefined : "LocalAddress"])
    }
  })
})
