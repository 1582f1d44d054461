import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { Webhook } from "standardwebhooks"
import * as RetryPolicyCron from "../../../src/layers/kv/RetryPolicyCron.ts"
import * as NotifierMemory from "../../../src/layers/notifications/NotifierMemory.ts"
import * as NotifierWebhook from "../../../src/layers/notifications/NotifierWebhook.ts"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import { notificationSettings } from "../../../src/services/notifications/NotificationSettings.ts"
import { isTransient, Notifier, NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { notifierContract } from "../../contracts/notifications/Notifier.ts"
import * as WebhookServer from "../../support/notifications/webhookServer.ts"

const secret = "a secret of the test's own"

const secretsOf = (current?: string, previous?: string): NotifierWebhook.WebhookSecrets => ({
  current: Option.map(Option.fromNullable(current), Redacted.make),
  previous: Option.map(Option.fromNullable(previous), Redacted.make)
})

const webhook = (options: Partial<Parameters<typeof NotifierWebhook.make>[0]> = {}, retries = 2) =>
  NotifierWebhook.make(
    {
      secrets: secretsOf(secret),
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

  const keys: ReadonlyArray<readonly [what: string, secret: string, verifier: Webhook]> = [
    ["plain text", secret, new Webhook(secret, { format: "raw" })],
    ["base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    ["base64 of 64 bytes", `whsec_${btoa("x".repeat(64))}`, new Webhook(`whsec_${btoa("x".repeat(64))}`)]
  ]
  for (const [what, current, verifier] of keys) {
    it.live(`are Standard Webhooks to a receiver that knows the secret, given in ${what}`, () =>
      withServer((server) =>
        Effect.gen(function* () {
          const notification = { key: "k_1", target: `${server.url}/hook?x=1`, body: '{"price":"1 €"}' }
          yield* webhook({ secrets: secretsOf(current) }).deliver(notification)
          const [one] = server.received
          expect(one).toMatchObject({ method: "POST", path: "/hook?x=1" })
          expect(one?.headers).toMatchObject({
            "content-type": "application/json",
            "idempotency-key": "k_1",
            "webhook-id": "k_1"
          })
          const headers = one!.headers as Record<string, string>
          expect(verifier.verify(one!.body, headers)).toEqual({ price: "1 €" })
          const forged = { ...headers, "webhook-id": "k_2" }
          expect(() => verifier.verify(one!.body, forged)).toThrow(/No matching signature/)
          expect(() => verifier.verify(`${one!.body} `, headers)).toThrow(/No matching signature/)
          expect(() => new Webhook("another", { format: "raw" }).verify(one!.body, headers)).toThrow()
        })
      )
    )
  }

  it.live("are signed under both secrets while one replaces the other", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const secrets = secretsOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "the one before")
        yield* webhook({ secrets }).deliver({ key: "k", target: server.url, body: "{}" })
        const [one] = server.received
        const headers = one!.headers as Record<string, string>
        expect(headers["webhook-signature"]?.split(" ")).toHaveLength(2)
        for (const verifier of [
          new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
          new Webhook("the one before", { format: "raw" })
        ]) {
          expect(verifier.verify(one!.body, headers)).toEqual({})
        }
        expect(() => new Webhook("neither", { format: "raw" }).verify(one!.body, headers)).toThrow()
      })
    )
  )

  it("are refused while a secret is of no use, which names it", () => {
    const refuses = (current?: string, previous?: string) =>
      webhook({ secrets: secretsOf(current, previous) }).refuses("https://hooks.example.com/")
    expect(refuses("whsec_%%%")).toMatch(/^WEBHOOK_SECRET must be whsec_/)
    expect(refuses("whsec_")).toMatch(/^WEBHOOK_SECRET must be/)
    expect(refuses(`whsec_${btoa("too short")}`)).toMatch(/24 to 64 bytes/)
    expect(refuses("good", "whsec_bad!")).toMatch(/^WEBHOOK_SECRET_PREVIOUS must be/)
    expect(refuses(undefined, "good")).toMatch(/no secret WEBHOOK_SECRET/)
    expect(refuses("good", "too")).toBeUndefined()
  })

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
        const later = new Date(Date.now() + 3_600_000).toUTCString()
        for (const [status, header, least, most] of [
          [429, "120", 120, 120],
          [503, later, 3500, 3600],
          [408, later, 3500, 3600],
          [403, "60", 60, 60],
          [413, later, 3500, 3600],
          [423, "7200", 7200, 7200],
          [425, "1", 1, 1]
        ] as const) {
          server.received.length = 0
          server.respond((response) => response.writeHead(status, { "Retry-After": header }).end())
          const error = yield* Effect.flip(webhook().deliver(notification))
          const { retryAfter } = error
          expect(isTransient(error)).toBe(true)
          expect(retryAfter).toBeGreaterThanOrEqual(least)
          expect(retryAfter).toBeLessThanOrEqual(most)
          expect(server.received.length).toBe(1)
        }
        server.received.length = 0
        for (const header of ["soon", "-5", "1.5", "0", "Sun, 06 Nov 1994 08:49:37 GMT"]) {
          server.respond((response) => response.writeHead(429, { "Retry-After": header }).end())
          yield* Effect.flip(webhook({}, 0).deliver(notification))
        }
        server.respond((response) => response.writeHead(429).end())
        expect(yield* Effect.flip(webhook().deliver(notification))).toMatchObject({ status: 429 })
        expect(server.received.length).toBe(8)
        server.received.length = 0
        server.respond((response) => response.writeHead(410, { "Retry-After": "60" }).end())
        expect(yield* Effect.flip(webhook().deliver(notification))).toMatchObject({ reason: "Refused", status: 410 })
        expect(server.received.length).toBe(1)
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
          { secrets: secretsOf("s"), allowLocal: false, deadline: Duration.seconds(1), ...options },
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
      const unsigned = notifier({ secrets: secretsOf() })
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
        { secrets: secretsOf("s"), allowLocal: false, deadline: Duration.seconds(10) },
        RetryPolicyCron.make,
        async (_, init) => {
          attempts += 1
          signatures.add(new Headers(init?.headers).get("webhook-signature"))
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

  it.effect("are wired from WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS and WEBHOOK_ALLOW_LOCAL", () =>
    Effect.gen(function* () {
      const refusals = (variables: Record<string, string>) =>
        Effect.map(Notifier, ({ refuses }) => refuses("http://localhost:9000/")).pipe(
          Effect.provide(
            Layer.provide(
              NotifierWebhook.layer(new Map(Object.entries(variables))),
              Layer.merge(
                RetryPolicyCron.layer,
                SettingsConfig.layerGroup(notificationSettings, new Map(Object.entries(variables)))
              )
            )
          )
        )
      expect(yield* refusals({ WEBHOOK_SECRET: "s", WEBHOOK_ALLOW_LOCAL: "true" })).toBeUndefined()
      expect(
        yield* refusals({ WEBHOOK_SECRET: "s", WEBHOOK_SECRET_PREVIOUS: "whsec_?", WEBHOOK_ALLOW_LOCAL: "true" })
      ).toMatch(/WEBHOOK_SECRET_PREVIOUS/)
      expect(yield* refusals({ WEBHOOK_SECRET: "s" })).toMatch(/https/)
      expect(yield* refusals({ WEBHOOK_ALLOW_LOCAL: "true" })).toMatch(/WEBHOOK_SECRET/)
    })
  )
})
