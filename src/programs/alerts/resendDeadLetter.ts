import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { type DeadLetter, deadLetters } from "../../services/alerts/model/DeadLetter.ts"
import { receiverOf } from "../../services/alerts/model/Receiver.ts"
import { Throttle } from "../../services/market/Throttle.ts"
import { Notifier, type NotifierError } from "../../services/notifications/Notifier.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

/**
 * Sends a dead letter once more: the same key and bytes, whether or not its receiver is being left alone. Once taken, it
 * is no dead letter any more, and a webhook that had been switched off as gone is on again; else it stays, with the
 * attempt counted. None where there is no such letter.
 */
export const resendDeadLetter = (
  key: string
): Effect.Effect<
  Option.Option<Either.Either<DeadLetter, NotifierError>>,
  StoreError,
  AlertRules | Repository | Throttle | Notifier
> =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const notifier = yield* Notifier
    const found = yield* repository.get(deadLetters, key)
    if (Option.isNone(found)) return Option.none()
    const letter = found.value
    const sent = yield* Effect.either(notifier.deliver(letter))
    if (Either.isLeft(sent)) {
      const { message } = sent.left
      const at = yield* Clock.currentTimeMillis
      const refused = { ...letter, attempts: letter.attempts + 1, givenUpAt: at, reason: message }
      yield* repository.set(deadLetters, key, refused)
      return Option.some(Either.left(sent.left))
    }
    yield* (yield* Throttle).succeeded(receiverOf(letter.target))
    yield* switchOn(letter)
    yield* repository.delete(deadLetters, key)
    return Option.some(Either.right(letter))
  })

const switchOn = ({ ruleId, target }: DeadLetter): Effect.Effect<void, StoreError, AlertRules> =>
  Effect.gen(function* () {
    const rules = yield* AlertRules
    const rule = Option.getOrUndefined(yield* rules.get(ruleId))
    if (rule?.webhookGoneAt === undefined || rule.webhook !== target) return
    const { webhookGoneAt: _, ...on } = rule
    yield* rules.put(on)
  })
