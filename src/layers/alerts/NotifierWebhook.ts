import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { signatureOf } from "../../services/alerts/model/WebhookSignature.ts"
import { type TargetRefusal, targetRefusal } from "../../services/alerts/model/WebhookTarget.ts"
import { failureClassOf, type Notification, Notifier, NotifierError } from "../../services/alerts/Notifier.ts"
import { RetryPolicy } from "../../services/kv/RetryPolicy.ts"
import { Settings } from "../../services/settings/Settings.ts"

const inWords: { readonly [R in TargetRefusal]: string } = {
  NotAUrl: "it is not a URL",
  NotHttps: "only https is taken",
  Credentials: "it must not hold credentials",
  LocalName: "it is a name of a local network",
  LocalAddress: "it is not an address of the public Internet"
}

const failed = (
  reason: NotifierError["reason"],
  more: { status?: number; retryAfter?: number; cause?: unknown } = {}
) => new NotifierError({ operation: "deliver", reason, ...more })

/** Seconds of `Retry-After`; a date there is not read. */
const retryAfterOf = (response: Response): { readonly retryAfter?: number } => {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN)
  return seconds >= 0 ? { retryAfter: seconds } : {}
}

const judge = (response: Response): NotifierError | undefined => {
  const { status } = response
  if (status >= 200 && status < 300) return undefined
  if (status === 429) return failed("RateLimited", { status, ...retryAfterOf(response) })
  if (status === 408) return failed("TimedOut", { status })
  if (status >= 500) return failed("Unavailable", { status, ...retryAfterOf(response) })
  return failed(status >= 400 ? "Refused" : "Redirected", { status })
}

/**
 * Posts notifications as JSON. The body is signed anew for every attempt (`Larder-Signature`), the key travels in
 * `Idempotency-Key`, redirects are not followed, and nothing of the answer but its status is read.
 */
export const make = (
  options: {
    readonly secret: Option.Option<Redacted.Redacted>
    readonly allowLocal: boolean
    /** For one attempt. */
    readonly deadline: Duration.Duration
  },
  policy: RetryPolicy["Type"],
  fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)
): Notifier["Type"] => {
  const { allowLocal, deadline, secret } = options

  const post = ({ body, key, target }: Notification, signingKey: Redacted.Redacted) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.tryPromise({
        try: async (signal) => {
          const signature = await signatureOf(Redacted.value(signingKey), body, Math.floor(now / 1000))
          const response = await fetch(target, {
            method: "POST",
            headers: { "Content-Type": "application/json", "Idempotency-Key": key, "Larder-Signature": signature },
            body,
            redirect: "manual",
            signal
          })
          await response.body?.cancel().catch(() => undefined)
          return response
        },
        catch: (cause) => failed("Unavailable", { cause })
      })
    ).pipe(
      Effect.timeoutFail({ duration: deadline, onTimeout: () => failed("TimedOut") }),
      Effect.flatMap((response) => Effect.suspend(() => judge(response) ?? Effect.void))
    )

  return {
    deliver: (notification) => {
      if (targetRefusal(notification.target, allowLocal) !== undefined) return Effect.fail(failed("ForbiddenTarget"))
      if (Option.isNone(secret)) return Effect.fail(failed("Unsigned"))
      return Effect.retry(post(notification, secret.value), {
        schedule: policy.schedule,
        while: (error) => failureClassOf(error) !== undefined
      })
    },
    refuses: (target) => {
      const refusal = targetRefusal(target, allowLocal)
      if (refusal !== undefined) return inWords[refusal]
      return Option.isNone(secret) ? "this Worker has no secret WEBHOOK_SECRET to sign with" : undefined
    }
  }
}

/** The key is the secret `WEBHOOK_SECRET`. */
export const layer: Layer.Layer<Notifier, ConfigError.ConfigError, Settings | RetryPolicy> = Layer.effect(
  Notifier,
  Effect.gen(function* () {
    const { webhookAllowLocal, webhookDeadline } = yield* Settings
    const secret = yield* Config.option(Config.redacted(Config.nonEmptyString("WEBHOOK_SECRET")))
    return make({ secret, allowLocal: webhookAllowLocal, deadline: webhookDeadline }, yield* RetryPolicy)
  })
)
