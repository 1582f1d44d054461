import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** `saved`: written. `unchanged`: nothing new. `early`: too soon after the last time. `unpaid`: it would cost more than it brings. */
export type Saving = "saved" | "unchanged" | "early" | "unpaid" | "failed"

/** Fails never: to have learned nothing is no error. */
export interface LearnedStateService {
  /** Takes in what was saved last, once in an isolate's life. Whether there was something. */
  readonly load: Effect.Effect<boolean>
  /** Takes in what was saved last and saves both together. */
  readonly save: Effect.Effect<Saving>
}

/** Where what prediction has learned outlives its isolate. A reference: it does not unless a layer says so. */
export class LearnedState extends Context.Reference<LearnedState>()("larder/LearnedState", {
  defaultValue: (): LearnedStateService => ({ load: Effect.succeed(false), save: Effect.succeed("unpaid") })
}) {}
