import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StoreError } from "../store/Store.ts"
import type { AlertRule } from "./model/AlertRule.ts"

/** The rules that there are. */
export class AlertRules extends Context.Tag("larder/AlertRules")<
  AlertRules,
  {
    /** In the order of their ids. */
    readonly all: Effect.Effect<ReadonlyArray<AlertRule>, StoreError>
    readonly get: (id: string) => Effect.Effect<Option.Option<AlertRule>, StoreError>
    readonly put: (rule: AlertRule) => Effect.Effect<void, StoreError>
    readonly remove: (id: string) => Effect.Effect<void, StoreError>
  }
>() {}
