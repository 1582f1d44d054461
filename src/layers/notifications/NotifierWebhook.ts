import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as String from "effect/String"
import { retryAfterSeconds } from "../../services/base/model/RetryAfter.ts"
import { RetryPolicy } from "../../services/kv/RetryPolicy.ts"
import { webhookHeaders, webhookKeyOf } from "../../services/notifications/model/WebhookSignature.ts"
import { type TargetRefusal, targetRefusal } from "../../services/notifications/model/WebhookTarget.ts"
import { NotificationSettings } from "../../services/notifications/NotificationSettings.ts"
import { isTransient, type Notification, Notifier, NotifierError } from "../../services/notifications/Notifier.ts"

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

const judge = (response: Response, now: number): NotifierError | undefined => {
  const { status } = response
  if (status >= 200 && status < 300) return undefined
  const seconds = retryAfterSeconds(response.headers.get("Retry-After"), now)
  const more = { status, ...(seconds === undefined ? {} : { retryAfter: seconds }) }
  if (status === 429) return failed("RateLimited", more)
  if (status === 408) return failed("TimedOut", more)
  // A refusal that says when to come again is none for good, but that it is gone.
  if (status >= 500 || status === 425 || (status >= 400 && status !== 410 && seconds !== undefined))
    return failed("Unavailable", more)
  return failed(status >= 400 ? "Refused" : "Redirected", { status })
}

/** What a notification is signed with, or why it cannot be, in words. */
type Keys = { readonly keys: ReadonlyArray<Uint8Array> } | { readonly unusable: string }

const keysOf = (secrets: WebhookSecrets): Keys => {
  if (Option.isNone(secrets.current)) return { unusable: "this Worker has no secret WEBHOOK_SECRET to sign with" }
  const keys: Array<Uint8Array> = []
  for (const [name, secret] of [
    ["WEBHOOK_SECRET", secrets.current],
    ["WEBHOOK_SECRET_PREVIOUS", secrets.previous]
  ] as const) {
    if (Option.isNone(secret)) continue
    const key = webhookKeyOf(Redacted.value(secret.value))
    if (key === undefined) return { unusable: `${name} must be whsec_ and 24 to 64 bytes in base64, or plain text` }
    keys.push(key)
  }
  return { keys }
}

export interface WebhookSecrets {
  readonly current: Option.Option<Redacted.Redacted>
  /** The one before, which signs as well while receivers change over. */
  readonly previous: Option.Option<Redacted.Redacted>
}

/**
 * Posts notifications as JSON. Every attempt is signed anew as Standard Webhooks are, the key travels in `webhook-id` and
 * `Idempotency-Key`, redirects are not followed, and of the answer only status and `Retry-After` are read.
 */
export const make = (
  options: {
    readonly secrets: WebhookSecrets
    readonly allowLocal: boolean
    /** For one attempt. */
    readonly deadline: Duration.Duration
  },
  policy: RetryPolicy["Type"],
  fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)
): Notifier["Type"] => {
  const { allowLocal, deadline } = options
  const signing = keysOf(options.secrets)

  const post = ({ body, key, target }: Notification, keys: ReadonlyArray<Uint8Array>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.tryPromise({
        try: async (signal) => {
          const signed = await webhookHeaders(keys, key.replaceAll(".", "_"), body, Math.floor(now / 1000))
          const response = await fetch(target, {
            method: "POST",
            headers: { "Content-Type": "application/json", "Idempotency-Key": key, ...signed },
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
      Effect.flatMap((response) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => judge(response, now) ?? Effect.void)
      )
    )

  return {
    deliver: (notification) => {
      if (targetRefusal(notification.target, allowLocal) !== undefined) return Effect.fail(failed("ForbiddenTarget"))
      if ("unusable" in signing) return Effect.fail(failed("Unsigned", { cause: new Error(signing.unusable) }))
      return Effect.retry(post(notification, signing.keys), {
        schedule: policy.schedule,
        while: (error) => isTransient(error) && !((error.retryAfter ?? 0) > 0)
      })
    },
    refuses: (target) => {
      const refusal = targetRefusal(target, allowLocal)
      if (refusal !== undefined) return inWords[refusal]
      return "unusable" in signing ? signing.unusable : undefined
    }
  }
}

/** Signed with the secret `WEBHOOK_SECRET`, and with `WEBHOOK_SECRET_PREVIOUS` beside it where there is one. */
export const layer = (
  variables: ReadonlyMap<string, string>
): Layer.Layer<Notifier, never, NotificationSettings | RetryPolicy> =>
  Layer.effect(
    Notifier,
    Effect.gen(function* () {
      const { webhookAllowLocal, webhookDeadline } = yield* NotificationSettings
      const secret = (name: string) =>
        Option.map(Option.liftPredicate(variables.get(name) ?? "", String.isNonEmpty), Redacted.make)
      const secrets = { current: secret("WEBHOOK_SECRET"), previous: secret("WEBHOOK_SECRET_PREVIOUS") }
      return make({ secrets, allowLocal: webhookAllowLocal, deadline: webhookDeadline }, yield* RetryPolicy)
    })
  )
