import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Limits } from "../../services/limits/Limits.ts"
import { hit, type Window } from "../../services/limits/model/FixedWindow.ts"

/** Windows that end sooner are not worth a row: an object that is evicted meanwhile begins them anew. */
const leastKeptMillis = 60_000

/** Windows in memory; beyond, the ended ones are dropped, then the oldest. */
const mostWindows = 100_000

type Storage = Pick<SyncKvStorage, "get" | "put" | "delete">

/** Windows in the memory of an object, long ones and counters in its storage. */
export const make = (storage: Storage): Limits["Type"] => {
  const windows = new Map<string, Window>()

  const trim = (now: number): void => {
    if (windows.size <= mostWindows) return
    for (const [key, { endsAt }] of windows) if (endsAt <= now) windows.delete(key)
    for (const key of windows.keys()) {
      if (windows.size <= mostWindows) return
      windows.delete(key)
    }
  }

  return {
    hit: (key, hits, windowMillis) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const kept = windowMillis > leastKeptMillis
        const before = windows.get(key) ?? (kept ? storage.get<Window>(`window:${key}`) : undefined)
        const window = hit(before, hits, now, windowMillis)
        windows.set(key, window)
        if (kept) storage.put(`window:${key}`, window)
        trim(now)
        return window
      }),

    reset: (key) =>
      Effect.sync(() => {
        windows.delete(key)
        storage.delete(`window:${key}`)
      }),

    add: (key, by) =>
      Effect.sync(() => {
        const before = storage.get<number>(`counter:${key}`) ?? 0
        if (by !== 0) storage.put(`counter:${key}`, before + by)
        return before + by
      })
  }
}

export const layer = (storage: Storage): Layer.Layer<Limits> => Layer.sync(Limits, () => make(storage))
