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
    /**
     * Whether there are so many already. What other isolates create within a minute may go uncounted; this isolate's own
     * count, so that creating one does not read the others.
     */
    readonly isFull: (most: number) => Effect.Effect<boolean, StoreError>
    readonly create: (rule: AlertRule) => Effect.Effect<void, StoreError>
    /** Changes one that there is. */
    readonly put: (rule: AlertRule) => Effect.Effect<void, StoreError>
    readonly remove: (id: string) => Effect.Effect<void, StoreError>
  }
>() {}
