import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { targetRefusal } from "../../../src/services/notifications/model/WebhookTarget.ts"

const refused = {
  NotAUrl: ["", "hooks.example.com/x", "https://", "https://a b/"],
  NotHttps: ["http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "javascript:alert(1)//x"],
  Credentials: ["https://user@hooks.example.com/", "https://user:secret@hooks.example.com/"],
  LocalName: [
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router/",
    "https://nas.lan/",
    "https://box.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://a.%6cocal/"
  ],
  LocalAddress: [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.255.0.1:8443/x",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://192.0.0.8/",
    "https://198.19.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/"
  ]
} as const

const allowed = [
  "https://hooks.example.com/alerts?x=1",
  "https://hooks.example.com:8443/",
  "https://hooks.example.com./",
  "https://8.8.8.8/",
  "https://172.15.0.1/",
  "https://172.32.0.1/",
  "https://100.63.0.1/",
  "https://100.128.0.1/",
  "https://[2606:4700:4700::1111]/",
  "https://[2a00::1]/",
  "https://bücher.example.com/"
]

describe("where notifications may go", () => {
  for (const [reason, targets] of Object.entries(refused)) {
    for (const target of targets)
      it(`not ${target}: ${reason}`, () => expect(targetRefusal(target, false)).toBe(reason))
  }
  for (const target of allowed) it(target, () => expect(targetRefusal(target, false)).toBeUndefined())

  it("any IPv4 address is judged the same in every notation, mapped into IPv6 never allowed", () => {
    const byte = fc.nat({ max: 255 })
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        const number = ((a * 256 + b) * 256 + c) * 256 + d
        const verdicts = [
          `${a}.${b}.${c}.${d}`,
          String(number),
          `0x${number.toString(16)}`,
          `0${a.toString(8)}.${b}.0x${c.toString(16)}.${d}`,
          `${a}.${b}.${c * 256 + d}`
        ].map((host) => targetRefusal(`https://${host}/`, false))
        expect(new Set(verdicts).size).toBe(1)
        expect(targetRefusal(`https://[::ffff:${a}.${b}.${c}.${d}]/`, false)).toBe("LocalAddress")
        if ([0, 10, 127].includes(a) || a >= 224) expect(verdicts[0]).toBe("LocalAddress")
      })
    )
  })

  it("for local use also http and local addresses, but still only the web, and no credentials", () => {
    for (const target of [
      "http://localhost:9000/",
      "http://127.0.0.1:9000/hook",
      "http://[::1]:9000/",
      "https://nas/"
    ]) {
      expect(targetRefusal(target, true)).toBeUndefined()
    }
    expect(targetRefusal("ftp://localhost/", true)).toBe("NotHttps")
    expect(targetRefusal("http://user@localhost/", true)).toBe("Credentials")
  })
})
