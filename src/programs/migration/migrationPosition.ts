import * as Effect from "effect/Effect"
import type { Mode } from "../../services/migration/RecordedMode.ts"
import { StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"

/**
 * Invalidations are carried over (into KV only), then what is gone from the source dropped, then entries copied: those
 * just copied need not be looked for again.
 */
type Phase = "marks" | "copy" | "drop"

/** Where a run stands. */
export interface Position {
  readonly phase: Phase
  /** The page's own cursor; undefined for the first. */
  readonly after: string | undefined
}

export const firstOf = (to: Mode): Position => ({ phase: to === "kv" ? "marks" : "drop", after: undefined })

export const nextOf = ({ phase }: Position, after: string | undefined): Position | undefined => {
  if (after !== undefined) return { phase, after }
  return phase === "copy" ? undefined : { phase: phase === "marks" ? "drop" : "copy", after: undefined }
}

export const encode = ({ after, phase }: Position, to: Mode): string =>
  after === undefined ? `${to}.${phase}` : `${to}.${phase}.${encodeURIComponent(after)}`

export const decode = (cursor: string, to: Mode): Effect.Effect<Position, StoreOfRecordError> =>
  Effect.try({
    try: () => {
      const [, mode, phase, after] = /^(kv|durable)\.(marks|copy|drop)(?:\.(.+))?$/.exec(cursor) ?? []
      if (mode !== to) throw new Error(`not a cursor of a run to ${to}`)
      return { phase: phase as Phase, after: after === undefined ? undefined : decodeURIComponent(after) }
    },
    catch: (cause) => new StoreOfRecordError({ operation: "open", reason: "BadCursor", cause })
  })
