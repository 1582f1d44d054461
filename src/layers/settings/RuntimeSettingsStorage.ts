import {
  type Change,
  changed,
  type RuntimeState,
  settledAt,
  unchanged
} from "../../services/settings/model/RuntimeState.ts"

/** The part of an object's storage that is used; one billed row per change. */
export interface SettingsStorage {
  readonly get: <A>(key: string) => A | undefined
  readonly put: (key: string, state: RuntimeState) => void
}

const key = "settings"

/** Settings changed at run time, in the storage of one object. */
export const make = (storage: SettingsStorage) => {
  let state: RuntimeState | undefined
  const keep = (next: RuntimeState): RuntimeState => {
    if (next !== state) storage.put(key, next)
    state = next
    return next
  }
  const read = (now: number): RuntimeState => {
    state ??= storage.get<RuntimeState>(key) ?? unchanged
    return keep(settledAt(state, now))
  }
  return {
    read,
    change: (change: Change, now: number): RuntimeState => keep(changed(read(now), change, now))
  }
}
