import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Format, formatOf } from "../../../../src/entry/replay/readers/formats.ts"
import { readBytes, rowsOf } from "../../../support/replay/traceFiles.ts"

const json = (record: object): string => JSON.stringify(record)

/** Lines that servers print, and what each is in short: moment, operation, key, size, all of one format. */
const logs: ReadonlyArray<
  readonly [what: string, format: Format, lines: ReadonlyArray<string>, rows: ReadonlyArray<string>]
> = [
  [
    "nginx, combined",
    "clf",
    [
      '93.180.71.3 - - [17/May/2015:08:05:32 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 "-" "Debian APT-HTTP/1.3 (0.8.16~exp12ubuntu10.21)"',
      '93.180.71.3 - - [17/May/2015:08:05:33 +0000] "GET /downloads/product_1 HTTP/1.1" 200 490 "-" "Wget/1.13.4 (linux-gnu)"'
    ],
    ["2015-05-17T08:05:32.000Z read /downloads/product_1 490", "2015-05-17T08:05:33.000Z read /downloads/product_1 490"]
  ],
  [
    "Cloudflare Logpush",
    "jsonl",
    [
      json({
        ClientIP: "1.2.3.4",
        ClientRequestHost: "example.com",
        ClientRequestMethod: "GET",
        ClientRequestURI: "/a?b=1",
        EdgeResponseBytes: 512,
        EdgeResponseStatus: 200,
        EdgeStartTimestamp: "2024-03-05T00:00:00Z"
      }),
      json({
        ClientIP: "1.2.3.4",
        ClientRequestHost: "example.com",
        ClientRequestMethod: "POST",
        ClientRequestURI: "/a?b=1",
        EdgeResponseBytes: 40,
        EdgeResponseStatus: 503,
        EdgeStartTimestamp: "2024-03-05T00:00:01Z"
      })
    ],
    ["2024-03-05T00:00:00.000Z read example.com/a?b=1 512"]
  ],
  [
    "Cloudflare Logpush in nanoseconds",
    "jsonl",
    [
      json({
        EdgeStartTimestamp: 1709596800000000000,
        ClientRequestURI: "/a",
        ClientRequestMethod: "GET",
        EdgeResponseStatus: 200,
        EdgeResponseBytes: 5
      }),
      json({
        EdgeStartTimestamp: 1709596801500000000,
        ClientRequestURI: "/b",
        ClientRequestMethod: "HEAD",
        EdgeResponseStatus: 200,
        EdgeResponseBytes: 5
      })
    ],
    ["2024-03-05T00:00:00.000Z read /a 5", "2024-03-05T00:00:01.500Z read /b 5"]
  ],
  [
    "Caddy",
    "jsonl",
    [
      '{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/page","headers":{"User-Agent":["curl/7.82.0"]}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200}',
      '{"level":"info","ts":1646861400.0,"logger":"tls","msg":"cleaning storage unit"}'
    ],
    ["2022-03-09T21:30:01.524Z read localhost/page 10900"]
  ],
  [
    "Traefik",
    "jsonl",
    [
      json({
        ClientHost: "10.0.0.1",
        DownstreamContentSize: 77,
        DownstreamStatus: 200,
        RequestHost: "whoami.test",
        RequestMethod: "GET",
        RequestPath: "/w",
        StartUTC: "2024-03-05T00:00:00.25Z",
        time: "2024-03-05T00:00:00Z"
      }),
      json({
        ClientHost: "10.0.0.1",
        DownstreamContentSize: 0,
        DownstreamStatus: 204,
        RequestHost: "whoami.test",
        RequestMethod: "DELETE",
        RequestPath: "/w",
        StartUTC: "2024-03-05T00:00:01.25Z",
        time: "2024-03-05T00:00:00Z"
      })
    ],
    ["2024-03-05T00:00:00.000Z read whoami.test/w 77", "2024-03-05T00:00:00.000Z delete whoami.test/w 77"]
  ],
  [
    "nginx in JSON",
    "jsonl",
    [
      '{"time_iso8601":"2024-03-05T01:00:00+01:00","remote_addr":"10.0.0.1","request":"GET /a b HTTP/1.1","status":"200","body_bytes_sent":"12"}',
      '{"time_iso8601":"2024-03-05T01:00:01+01:00","remote_addr":"10.0.0.1","request":"PUT /a b HTTP/1.1","status":"201","body_bytes_sent":"0"}'
    ],
    ["2024-03-05T00:00:00.000Z read /a b 12", "2024-03-05T00:00:01.000Z write /a b 12"]
  ],
  [
    "a Google load balancer",
    "jsonl",
    [
      json({
        httpRequest: {
          requestMethod: "GET",
          requestUrl: "https://example.com/x?y",
          status: 200,
          responseSize: "321",
          remoteIp: "1.1.1.1"
        },
        timestamp: "2024-03-05T00:00:00.123456789Z"
      })
    ],
    ["2024-03-05T00:00:00.123Z read example.com/x?y 321"]
  ],
  [
    "IIS",
    "w3c",
    [
      "#Software: Microsoft Internet Information Services 10.0",
      "#Version: 1.0",
      "#Date: 2024-03-05 00:00:00",
      "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
      "2024-03-05 00:00:00 10.0.0.5 GET /Default.aspx id=1 80 - 10.0.0.9 Mozilla/5.0+(Windows) - 200 0 0 15",
      "2024-03-05 00:00:01 10.0.0.5 POST /Save.aspx - 80 - 10.0.0.9 Mozilla/5.0+(Windows) - 500 0 0 15",
      "#Fields: time cs-method cs-uri-stem sc-status sc-bytes cs-host",
      "00:00:02 GET /b.css 200 99 Www.Example.com"
    ],
    ["2024-03-05T00:00:00.000Z read /Default.aspx?id=1 99", "2024-03-05T00:00:02.000Z read www.example.com/b.css 99"]
  ],
  [
    "CloudFront",
    "w3c",
    [
      "#Version: 1.0",
      "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken",
      "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\twww.example.org\thttps\t23\t0.001",
      "2019-12-04\t21:02:32\tLAX1\t0\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/a.js\t304\t-\tMozilla/5.0\tv=2\t-\tHit\tx\t-\thttps\t23\t0.001"
    ],
    ["2019-12-04T21:02:31.000Z read www.example.org/index.html 392", "2019-12-04T21:02:32.000Z read /a.js?v=2 392"]
  ],
  [
    "Amazon S3",
    "s3",
    [
      '79a5 amzn-s3-demo-bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a5 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /amzn-s3-demo-bucket?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket.s3.us-west-1.amazonaws.com TLSV1.2 - -',
      '79a5 amzn-s3-demo-bucket [06/Feb/2019:00:01:57 +0000] 192.0.2.3 79a5 DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf "PUT /amzn-s3-demo-bucket/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" "S3Console/0.4" - 10S62Zv81kBW7BB6SX4XJ48o6kpcl6LPwEoizZQQxJd5qDSCTLX0TgS37kYUBKQW3+bPdrg1234= SigV4 ECDHE-RSA-AES128-SHA AuthHeader b.s3.amazonaws.com TLSV1.2 - -',
      '79a5 amzn-s3-demo-bucket [06/Feb/2019:00:02:57 +0000] - arn:aws:iam::1:user/x DD6CC733BEXAMPLE REST.GET.OBJECT s3-dg.pdf "GET /s3-dg.pdf HTTP/1.1" 206 - 100 4406583 4 2 "-" "curl" - h SigV4 c AuthHeader b.s3.amazonaws.com TLSV1.2 - -',
      '79a5 amzn-s3-demo-bucket [06/Feb/2019:00:03:57 +0000] 192.0.2.3 79a5 DD6CC733CEXAMPLE REST.DELETE.OBJECT s3-dg.pdf "DELETE /s3-dg.pdf HTTP/1.1" 403 AccessDenied 100 - 4 2 "-" "curl" - h SigV4 c AuthHeader b TLSV1.2 - -'
    ],
    [
      "2019-02-06T00:01:57.000Z write amzn-s3-demo-bucket/s3-dg.pdf 4406583",
      "2019-02-06T00:02:57.000Z read amzn-s3-demo-bucket/s3-dg.pdf 4406583"
    ]
  ],
  [
    "HAProxy",
    "haproxy",
    [
      'Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"',
      '10.0.1.2:33318 [06/Feb/2009:12:14:15.001] https~ static/<NOSRV> 0/-1/-1/-1/0 503 212 - - SC-- 1/1/0/0/0 0/0 "PUT https://1wt.eu/x HTTP/2.0"',
      '10.0.1.2:33319 [06/Feb/2009:12:14:16.001] http-in http-in/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"'
    ],
    ["2009-02-06T12:14:14.655Z read /index.html 2750"]
  ],
  [
    "Squid",
    "squid",
    [
      "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 GET http://www.google.com/ - DIRECT/209.85.149.106 text/html",
      "1286536310.000      0 192.168.0.68 TCP_DENIED/403 0 CONNECT example.org:443 - NONE/- -"
    ],
    ["2010-10-08T11:11:49.586Z read www.google.com/ 507"]
  ],
  [
    "AWS load balancers",
    "elb",
    [
      'http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/a HTTP/1.1" "curl/7.46.0" - - arn:aws',
      '2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -'
    ],
    ["2015-05-13T23:39:43.945Z read www.example.com/ 29", "2018-07-02T22:23:00.186Z read www.example.com/a 366"]
  ],
  [
    "Envoy",
    "envoy",
    [
      '[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"',
      '[2016-04-15T20:17:01.310Z] "GET /api/v1/locations HTTP/2" 200 - 0 42 2 1 "10.0.35.28, 10.0.0.1" "nsq2http" "id" "locations" "tcp://10.0.2.1:80"'
    ],
    [
      "2016-04-15T20:17:00.310Z write locations/api/v1/locations 42",
      "2016-04-15T20:17:01.310Z read locations/api/v1/locations 42"
    ]
  ],
  [
    "LTSV",
    "ltsv",
    [
      "time:[28/Feb/2013:12:00:00 +0900]\thost:192.168.0.1\treq:GET /list b HTTP/1.1\tstatus:200\tsize:5316\tua:a:b=c\tvhost:e.com",
      "time:2013-02-28T12:00:01+09:00\thost:192.168.0.1\tmethod:PUT\turi:/list\tstatus:500\tsize:9",
      "time:2013-02-28T12:00:02+09:00\thost:-\tmethod:GET\turi:/list?a=b c=d e=f\tstatus:404\tsize:9"
    ],
    ["2013-02-28T03:00:00.000Z read e.com/list b 5316", "2013-02-28T03:00:02.000Z read /list?a=b c=d e=f 5316"]
  ],
  [
    "Heroku's router",
    "logfmt",
    [
      '2012-10-11T03:47:20.500000+00:00 heroku[router]: at=info method=GET path="/a b\\"c" host=e.com request_id=8601 fwd="204.204.204.204" dyno=web.1 connect=1ms service=18ms status=200 bytes=13',
      '<158>1 2012-10-11T03:47:21Z heroku router - at=error code=H12 desc="Request timeout" method=PUT path="/" host=e.com fwd="1.1.1.1" status=503 bytes=0'
    ],
    ['2012-10-11T03:47:20.500Z read e.com/a b"c 13']
  ],
  [
    "pairs of a Go program",
    "logfmt",
    [
      'time=2024-03-05T00:00:00.000Z level=INFO msg="request done" method=GET url=/a status=200 bytes=7',
      'time=2024-03-05T00:00:01.000Z level=INFO msg="request done" method=DELETE url=/a status=204 bytes=0'
    ],
    ["2024-03-05T00:00:00.000Z read /a 7", "2024-03-05T00:00:01.000Z delete /a 7"]
  ]
]

describe("formats of logs", () => {
  for (const [what, format, lines, rows] of logs) {
    it.effect(`${what} is ${format} by itself, whatever its line ends, and reads the same when that is said`, () =>
      Effect.gen(function* () {
        for (const text of [lines.join("\n"), `\ufeff${lines.join("\r\n")}\r\n`]) {
          expect(formatOf(text.replace("\ufeff", ""), undefined)).toBe(format)
          for (const given of [undefined, format]) {
            const trace = yield* readBytes(text, { format: given })
            expect(rowsOf(trace).map(({ at, key, operation, size }) => `${at} ${operation} ${key} ${size}`)).toEqual(
              rows
            )
          }
        }
      })
    )
  }

  it.effect("read an array of JSON, in one line or in many, however it is cut into pieces", () =>
    Effect.gen(function* () {
      const records = Array.from({ length: 300 }, (_, i) => ({
        timestamp: new Date(Date.UTC(2024, 2, 5) + i * 1000).toISOString(),
        httpRequest: {
          requestMethod: "GET",
          requestUrl: `https://e.com/${i}?q=}{"\\[`,
          status: 200,
          responseSize: "7"
        },
        labels: [{ a: "]" }, "\\"]
      }))
      for (const text of [
        json(records),
        JSON.stringify(records, null, 2),
        JSON.stringify(records, null, "\t").replaceAll("\n", "\r\n")
      ]) {
        expect(formatOf(text.slice(0, 65_536), undefined)).toBe("jsonl")
        const { at, keys } = yield* readBytes(text)
        expect([at.length, keys.length, keys[299]]).toEqual([300, 300, 'e.com/299?q=}{"\\['])
      }
      const { detail } = yield* Effect.flip(readBytes(JSON.stringify([{ name: "x" }], null, 2)))
      expect(detail).toMatch(/none of its 5 lines holds a request, the first is "\["/)
    })
  )

  it.effect("tell JSON's numbers apart that a double does not, and read fields as they are named", () =>
    Effect.gen(function* () {
      const lines = ["9007199254740992", "9007199254740993"].map(
        (id) => `{"ts":1709596800,"obj":${id},"size":3,"op":"set"}`
      )
      expect((yield* readBytes(lines.join("\n"))).keys).toEqual(["9007199254740992", "9007199254740993"])
      const nested = json({ when: "2024-03-05T00:00:00Z", req: { path: "/p" }, n: 8 })
      const trace = yield* readBytes(nested, { columns: { key: "req.path", time: "when", size: "n" } })
      expect(rowsOf(trace)).toMatchObject([{ key: "/p", size: 8, at: "2024-03-05T00:00:00.000Z" }])
    })
  )

  const hopeless: ReadonlyArray<readonly [what: string, bytes: string | Uint8Array, says: RegExp]> = [
    [
      "prose",
      "It was a dark\nand stormy night.\n",
      /none of its 2 lines holds a request, the first is "It was a dark"; tried csv, clf, jsonl/
    ],
    [
      "a picture",
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
      /lines holds a request, the first is "\?PNG"; tried csv/
    ],
    [
      "JSON of something else",
      '{"name":"x"}\n{"name":"y"}\n',
      /none of its 2 lines holds a request, the first is "\{"name":"x"\}"/
    ],
    ["a log of refusals", '1.1.1.1 - - [10/Oct/2000:13:55:36 +0000] "PUT /a HTTP/1.1" 403 0\n', /none of its 1 lines/],
    [
      "W3C without fields",
      "#Version: 1.0\na b c\n",
      /none of its 2 lines holds a request, the first is "#Version: 1.0"/
    ],
    ["nothing but line ends", "\n\r\n\n", /is empty/],
    ["bzip2", "BZh91AY&SY", /the file is bzip2: unpack it/]
  ]
  for (const [what, bytes, says] of hopeless) {
    it.effect(`refuse ${what} in one line that says what was tried`, () =>
      Effect.gen(function* () {
        const { detail } = yield* Effect.flip(readBytes(bytes))
        expect(detail).toMatch(says)
        expect(detail).not.toContain("\n")
      })
    )
  }
})
