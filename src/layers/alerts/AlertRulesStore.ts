import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { type AlertRule, alertRules } from "../../services/alerts/model/AlertRule.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

/** Milliseconds for which a count of the rules holds. */
const countedFor = 60_000

export const make = (repository: Repository["Type"]): AlertRules["Type"] => {
  const ids = (cursor?: string): Effect.Effect<ReadonlyArray<string>, StoreError> =>
    Effect.flatMap(repository.list(alertRules, cursor === undefined ? {} : { cursor }), (page) =>
      page.cursor === undefined
        ? Effect.succeed(page.keys)
        : Effect.map(ids(page.cursor), (rest) => [...page.keys, ...rest])
    )
  const put = (rule: AlertRule): Effect.Effect<void, StoreError> =>
    Effect.asVoid(repository.set(alertRules, rule.id, rule))

  let count = 0
  let countedAt = Number.NEGATIVE_INFINITY
  const recount = Effect.zipWith(ids(), Clock.currentTimeMillis, (found, now) => {
    count = found.length
    countedAt = now
  })

  return {
    isFull: (most) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        now - countedAt < countedFor && count < most ? Effect.succeed(false) : Effect.map(recount, () => count >= most)
      ),
    create: (rule) => Effect.map(put(rule), () => void count++),
    all: Effect.flatMap(ids(), (found) =>
      found.length === 0 ? Effect.succeed([]) : Effect.map(repository.getMany(alertRules, found), Arr.getSomes)
    ),
    get: (id) => repository.get(alertRules, id),
    put,
    remove: (id) => Effect.map(repository.delete(alertRules, id), () => void count--)
  }
}

/** One list and one batch of reads for all of them. */
export const layer: Layer.Layer<AlertRules, never, Repository> = Layer.effect(AlertRules, Effect.map(Repository, make))
