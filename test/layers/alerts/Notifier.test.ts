import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as NotifierMemory from "../../../src/layers/alerts/NotifierMemory.ts"
import * as NotifierWebhook from "../../../src/layers/alerts/NotifierWebhook.ts"
import * as RetryPolicyCron from "../../../src/layers/kv/RetryPolicyCron.ts"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import { Notifier, NotifierError } from "../../../src/services/alerts/Notifier.ts"
import { notifierContract } from "../../contracts/alerts/Notifier.ts"
import * as WebhookServer from "../../support/alerts/webhookServer.ts"

const secret = "a secret of the test's own"

const webhook = (options: Partial<Parameters<typeof NotifierWebhook.make>[0]> = {}, retries = 2) =>
  NotifierWebhook.make(
    {
      secret: Option.some(Redacted.make(secret)),
      allowLocal: true,
      deadline: Duration.seconds(10),
      ...options
    },
    { schedule: Schedule.recurs(retries) }
  )

const statuses = { Refused: 404, RateLimited: 429, Unavailable: 503 } as const

notifierContract("NotifierWebhook", async () => {
  const server = await WebhookServer.start()
  return {
    close: server.close,
    world: {
      notifier: webhook(),
      target: `${server.url}/hook`,
      answer: (reason) =>
        server.respond((response) => response.writeHead(reason === undefined ? 200 : statuses[reason]).end("answer")),
      received: () => server.received.map(({ body, headers }) => ({ key: String(headers["idempotency-key"]), body }))
    }
  }
})

notifierContract("NotifierMemory", async () => {
  const receiver = NotifierMemory.receiver()
  return {
    close: async () => {},
    world: {
      notifier: NotifierMemory.make(receiver),
      target: "https://hooks.example.com/",
      answer: (reason) => {
        receiver.answer = () => (reason === undefined ? undefined : new NotifierError({ operation: "deliver", reason }))
      },
      received: () => receiver.attempts.map(({ body, key }) => ({ key, body }))
    }
  }
})

describe("webhooks", () => {
  const withServer = (
    body: (server: Awaited<ReturnType<typeof WebhookServer.start>>) => Effect.Effect<void, NotifierError>
  ) => Effect.acquireUseRelease(Effect.promise(WebhookServer.start), body, (server) => Effect.promise(server.close))

  it.live("are signed with HMAC-SHA256 over the time and the body", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const before = Math.floor(Date.now() / 1000)
        yield* webhook().deliver({ key: "k.1", target: `${server.url}/hook?x=1`, body: '{"price":"1 €"}' })
        const [one] = server.received
        expect(one).toMatchObject({ method: "POST", path: "/hook?x=1" })
        expect(one?.headers["content-type"]).toBe("application/json")
        expect(one?.headers["idempotency-key"]).toBe("k.1")
        const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(one?.headers["larder-signature"])) ?? []
        expect(Number(time)).toBeGreaterThanOrEqual(before)
        expect(signature).toBe(createHmac("sha256", secret).update(`${time}.${one?.body}`).digest("hex"))
      })
    )
  )

  it.live("do not follow redirects, nor try again where one is answered", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.respond((response, { path }) =>
          path === "/hook" ? response.writeHead(307, { Location: "/elsewhere" }).end() : response.writeHead(200).end()
        )
        const error = yield* Effect.flip(webhook().deliver({ key: "k", target: `${server.url}/hook`, body: "{}" }))
        expect(error).toMatchObject({ reason: "Redirected", status: 307 })
        expect(server.received.map(({ path }) => path)).toStrictEqual(["/hook"])
      }).pipe(Effect.orDie)
    )
  )

  it.live("give up an attempt that is not answered in time", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.respond(() => {})
        const notifier = webhook({ deadline: Duration.millis(50) }, 1)
        const error = yield* Effect.flip(notifier.deliver({ key: "k", target: `${server.url}/hook`, body: "{}" }))
        expect(error.reason).toBe("TimedOut")
      }).pipe(Effect.orDie)
    )
  )

  it.live("say what the receiver asked for, and try transient failures again but not refusals", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const notification = { key: "k", target: `${server.url}/hook`, body: "{}" }
        server.respond((response) => response.writeHead(429, { "Retry-After": "120" }).end())
        expect(yield* Effect.flip(webhook().deliver(notification))).toMatchObject({ status: 429, retryAfter: 120 })
        expect(server.received.length).toBe(3)
        server.respond((response) => response.writeHead(410).end())
        expect(yield* Effect.flip(webhook().deliver(notification))).toMatchObject({ reason: "Refused", status: 410 })
        expect(server.received.length).toBe(4)
        yield* Effect.promise(server.close)
        expect(yield* Effect.flip(webhook().deliver(notification))).toMatchObject({ reason: "Unavailable" })
      }).pipe(Effect.orDie, Effect.ignore)
    )
  )

  it.effect("reach nobody at an address that is not allowed, or without a secret", () =>
    Effect.gen(function* () {
      const fetched: Array<unknown> = []
      const notifier = (options: Parameters<typeof webhook>[0]) =>
        NotifierWebhook.make(
          { secret: Option.some(Redacted.make("s")), allowLocal: false, deadline: Duration.seconds(1), ...options },
          RetryPolicyCron.make,
          async (input) => {
            fetched.push(input)
            return new Response(null)
          }
        )
      const deliver = (one: Notifier["Type"], target: string) =>
        Effect.flip(one.deliver({ key: "k", target, body: "{}" }))
      for (const target of ["http://hooks.example.com/", "https://169.254.169.254/", "https://localhost/"]) {
        expect(yield* deliver(notifier({}), target)).toMatchObject({ reason: "ForbiddenTarget" })
        expect(notifier({}).refuses(target)).toBeTypeOf("string")
      }
      const unsigned = notifier({ secret: Option.none() })
      expect(yield* deliver(unsigned, "https://hooks.example.com/")).toMatchObject({ reason: "Unsigned" })
      expect(unsigned.refuses("https://hooks.example.com/")).toMatch(/WEBHOOK_SECRET/)
      expect(notifier({}).refuses("https://hooks.example.com/")).toBeUndefined()
      expect(fetched).toStrictEqual([])
    })
  )

  it.effect("are tried patiently: again for about a minute, each attempt signed for its own time", () =>
    Effect.gen(function* () {
      const signatures = new Set<string | null>()
      let attempts = 0
      const notifier = NotifierWebhook.make(
        { secret: Option.some(Redacted.make("s")), allowLocal: false, deadline: Duration.seconds(10) },
        RetryPolicyCron.make,
        async (_, init) => {
          attempts += 1
          signatures.add(new Headers(init?.headers).get("Larder-Signature"))
          return new Response(null, { status: 500 })
        }
      )
      const fiber = yield* Effect.fork(
        Effect.flip(notifier.deliver({ key: "k", target: "https://hooks.example.com/", body: "{}" }))
      )
      for (let second = 0; second < 90; second++) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      expect((yield* Fiber.join(fiber)).reason).toBe("Unavailable")
      expect(attempts).toBeGreaterThan(5)
      expect(signatures.size).toBe(attempts)
    })
  )

  it.effect("are wired from WEBHOOK_SECRET and WEBHOOK_ALLOW_LOCAL", () =>
    Effect.gen(function* () {
      const refusals = (variables: Record<string, string>) =>
        Effect.map(Notifier, ({ refuses }) => refuses("http://localhost:9000/")).pipe(
          Effect.provide(
            NotifierWebhook.layer.pipe(
              Layer.provide(Layer.merge(RetryPolicyCron.layer, SettingsConfig.layer)),
              Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
            )
          )
        )
      expect(yield* refusals({ WEBHOOK_SECRET: "s", WEBHOOK_ALLOW_LOCAL: "true" })).toBeUndefined()
      expect(yield* refusals({ WEBHOOK_SECRET: "s" })).toMatch(/https/)
      expect(yield* refusals({ WEBHOOK_ALLOW_LOCAL: "true" })).toMatch(/WEBHOOK_SECRET/)
    })
  )
})
