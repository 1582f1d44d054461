import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { alertRules } from "../../services/alerts/model/AlertRule.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

export const make = (repository: Repository["Type"]): AlertRules["Type"] => {
  const ids = (cursor?: string): Effect.Effect<ReadonlyArray<string>, StoreError> =>
    Effect.flatMap(repository.list(alertRules, cursor === undefined ? {} : { cursor }), (page) =>
      page.cursor === undefined
        ? Effect.succeed(page.keys)
        : Effect.map(ids(page.cursor), (rest) => [...page.keys, ...rest])
    )
  return {
    all: Effect.flatMap(ids(), (found) =>
      found.length === 0 ? Effect.succeed([]) : Effect.map(repository.getMany(alertRules, found), Arr.getSomes)
    ),
    get: (id) => repository.get(alertRules, id),
    put: (rule) => Effect.asVoid(repository.set(alertRules, rule.id, rule)),
    remove: (id) => repository.delete(alertRules, id)
  }
}

/** One list and one batch of reads for all of them. */
export const layer: Layer.Layer<AlertRules, never, Repository> = Layer.effect(AlertRules, Effect.map(Repository, make))
