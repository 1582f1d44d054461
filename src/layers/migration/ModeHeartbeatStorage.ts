import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { afterRead, type Beat, goesOn, type ModeHeartbeat } from "../../services/migration/ModeHeartbeat.ts"

/** The part of an object's storage that is used; one billed row per change. */
export interface BeatStorage {
  readonly get: <A>(key: string) => A | undefined
  readonly put: (key: string, beat: Beat) => void
  readonly delete: (key: string) => unknown
}

const key = "heartbeat"

/** The heartbeat in the storage of one object, by its clock. No change in the sense of its shard's snapshots. */
export const make = (storage: BeatStorage): ModeHeartbeat["Type"] => {
  const beating = <A>(step: (beat: Beat | undefined, now: number) => A): Effect.Effect<A> =>
    Effect.map(Clock.currentTimeMillis, (now) => step(storage.get<Beat>(key), now))
  return {
    goOn: beating((beat, now) => {
      const on = goesOn(beat, now)
      if (on) storage.put(key, { ...beat, at: now })
      return on
    }),
    confirm: beating((beat, now) => storage.put(key, afterRead(beat, now))),
    stop: beating(() => {
      storage.delete(key)
    })
  }
}
