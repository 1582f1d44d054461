import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Ledger } from "../services/Ledger.ts"
import { advanced, begun, isDue, type Mode, type RecordedModeError } from "../services/RecordedMode.ts"
import { Settings } from "../services/Settings.ts"
import { type StoreOfRecordError, StoresOfRecord, type StoresOfRecordService } from "../services/StoresOfRecord.ts"
import { type Migrated, type MigrateOptions, migrateMode } from "./migrateMode.ts"

/** The mode that the flag puts in force. */
export const modeInForce = Effect.map(Settings, ({ durableMode }): Mode => (durableMode ? "durable" : "kv"))

type Failure = StoreOfRecordError | RecordedModeError

/**
 * A run on command. One to the mode in force is also recorded as that mode's pass, so that the crons go on from where
 * it stopped, and make the pass that is due later.
 */
export const migrateRecorded = (options: MigrateOptions): Effect.Effect<Migrated, Failure, Ledger | Settings> =>
  Effect.gen(function* () {
    const service = yield* StoresOfRecord
    const inForce = yield* modeInForce
    if (service === undefined || options.dryRun || options.to !== inForce) return yield* migrateMode(options)
    return yield* pass(service, inForce, options)
  })

/**
 * Brings the store of the mode in force up to date when the flag was changed: the first call that sees it differ from
 * the recorded mode, those after it until all is handed over, and one ten minutes later, for isolates that still ran
 * the old flag. What it did, or undefined when there was nothing to do. The first call ever only records the mode.
 */
export const followMode: Effect.Effect<Migrated | undefined, Failure, Ledger | Settings> = Effect.gen(function* () {
  const service = yield* StoresOfRecord
  if (service === undefined) return undefined
  const inForce = yield* modeInForce
  const record = yield* service.recorded.read
  if (record === undefined) {
    yield* service.recorded.write({ mode: inForce })
    return undefined
  }
  if (!isDue(record, inForce, yield* Clock.currentTimeMillis)) return undefined
  return yield* pass(service, inForce, { to: inForce, dryRun: false, cursor: begun(record, inForce).cursor })
})

/** Recorded before it begins, so that a flag that is changed back meanwhile is seen. A cursor that is refused is dropped. */
const pass = ({ recorded }: StoresOfRecordService, inForce: Mode, options: MigrateOptions) =>
  Effect.gen(function* () {
    const before = yield* recorded.read
    const record = begun(before, inForce)
    if (record !== before) yield* recorded.write(record)
    const { cursor: _, ...afresh } = record
    const migrated = yield* Effect.tapError(migrateMode(options), ({ reason }) =>
      reason === "BadCursor" ? Effect.ignore(recorded.write(afresh)) : Effect.void
    )
    yield* recorded.write(advanced(record, migrated, yield* Clock.currentTimeMillis))
    return migrated
  })
