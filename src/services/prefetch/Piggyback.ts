import * as Context from "effect/Context"

/** Predicted ids that may come along where an RPC to the objects is made anyway. */
export interface PiggybackService {
  /** Asked once such an RPC is about to be made, and not before: what is taken counts as issued. */
  readonly take: () => ReadonlyArray<string>
  /** What came of it: entries, and bytes of their values. */
  readonly carried: (entries: number, bytes: number) => void
}

/** A reference: where nobody predicts, nothing is sent along. */
export class Piggyback extends Context.Reference<Piggyback>()("larder/Piggyback", {
  defaultValue: (): PiggybackService => ({ take: () => [], carried: () => {} })
}) {}
