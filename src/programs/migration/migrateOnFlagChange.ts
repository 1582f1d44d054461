import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import {
  advanced,
  begun,
  isDue,
  type Mode,
  type ModeRecord,
  type RecordedModeError,
  rests
} from "../../services/migration/RecordedMode.ts"
import {
  StoreOfRecordError,
  StoresOfRecord,
  type StoresOfRecordService
} from "../../services/migration/StoresOfRecord.ts"
import { Settings } from "../../services/settings/Settings.ts"
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
 * the old flag. What it did, or undefined when there was nothing to do. The first call ever only records the mode. In
 * the durable mode the record is not read while the heartbeat of these calls goes on.
 */
export const migrateOnFlagChange: Effect.Effect<Migrated | undefined, Failure, Ledger | Settings> = Effect.gen(
  function* () {
    const service = yield* StoresOfRecord
    if (service === undefined) return undefined
    const { heartbeat, recorded } = service
    const inForce = yield* modeInForce
    if (inForce === "durable" && (yield* Effect.orElseSucceed(heartbeat.goOn, () => false))) return undefined
    const record = yield* Effect.flatMap(recorded.read, (known) =>
      known ? Effect.succeed(known) : first(service, inForce)
    )
    if (!isDue(record, inForce, yield* Clock.currentTimeMillis)) {
      if (inForce === "durable" && rests(record, inForce)) yield* Effect.ignore(heartbeat.confirm)
      return undefined
    }
    return yield* pass(service, inForce, { to: inForce, dryRun: false, cursor: begun(record, inForce).cursor })
  }
)

const first = ({ recorded }: StoresOfRecordService, mode: Mode): Effect.Effect<ModeRecord, RecordedModeError> =>
  Effect.as(recorded.write({ mode }), { mode })

/** Recorded before it begins, so that a flag that is changed back meanwhile is seen. A cursor that is refused is dropped. */
const pass = ({ heartbeat, recorded }: StoresOfRecordService, inForce: Mode, options: MigrateOptions) =>
  Effect.gen(function* () {
    const before = yield* recorded.read
    const record = begun(before, inForce)
    if (record !== before) yield* recorded.write(record)
    yield* inForce === "durable" ? Effect.mapError(heartbeat.stop, unreachable) : Effect.ignore(heartbeat.stop)
    const { cursor: _, ...afresh } = record
    const migrated = yield* Effect.tapError(
      migrateMode({ ...options, objectsOnly: record.objects === true }),
      ({ reason }) => (reason === "BadCursor" ? Effect.ignore(recorded.write(afresh)) : Effect.void)
    )
    yield* recorded.write(advanced(record, migrated, yield* Clock.currentTimeMillis))
    return migrated
  })

/** A heartbeat that goes on would hide from the crons what is left to do. */
const unreachable = (cause: unknown) => new StoreOfRecordError({ operation: "open", reason: "Unavailable", cause })
