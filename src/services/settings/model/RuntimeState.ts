/** A value that replaces the deployed one, as a variable's text. */
export interface Override {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly by: string
  readonly reason?: string
  /** Milliseconds since the epoch when it ends by itself. */
  readonly until?: number
}

export interface SettingChange {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly by: string
  readonly reason?: string
  readonly name: string
  /** `null`: as it was deployed. */
  readonly from: string | null
  readonly to: string | null
  readonly until?: number
}

/** Settings that were changed at run time, and how. */
export interface RuntimeState {
  /** Counted up with every change. */
  readonly version: number
  readonly overrides: { readonly [variable: string]: Override }
  /** The latest first. */
  readonly history: ReadonlyArray<SettingChange>
}

export const unchanged: RuntimeState = { version: 0, overrides: {}, history: [] }

/** Changes that are remembered. */
const mostHistory = 200

export interface Change {
  /** `null`: back to what was deployed. */
  readonly values: { readonly [variable: string]: string | null }
  readonly by: string
  readonly reason?: string
  /** Milliseconds since the epoch. */
  readonly until?: number
}

/** The state after a change; the same one where nothing is changed by it. */
export const changed = (state: RuntimeState, { by, reason, until, values }: Change, now: number): RuntimeState => {
  const overrides: Record<string, Override> = { ...state.overrides }
  const about = { at: now, by, ...(reason === undefined ? {} : { reason }) }
  const limited = until === undefined ? {} : { until }
  const changes = Object.entries(values).flatMap(([name, value]): ReadonlyArray<SettingChange> => {
    const from = overrides[name]?.value ?? null
    if (from === value && overrides[name]?.until === until) return []
    if (value === null) delete overrides[name]
    else overrides[name] = { value, ...about, ...limited }
    return [{ name, from, to: value, ...about, ...(value === null ? {} : limited) }]
  })
  return changes.length === 0
    ? state
    : { version: state.version + 1, overrides, history: [...changes, ...state.history].slice(0, mostHistory) }
}

/** The state without what has ended by itself. */
export const settledAt = (state: RuntimeState, now: number): RuntimeState => {
  const ended = Object.entries(state.overrides).filter(([, { until }]) => until !== undefined && until <= now)
  if (ended.length === 0) return state
  const values = Object.fromEntries(ended.map(([name]) => [name, null]))
  return changed(state, { values, by: "expiry" }, now)
}

export const valuesOf = (state: RuntimeState) => ({
  version: state.version,
  values: Object.fromEntries(Object.entries(state.overrides).map(([name, { value }]) => [name, value]))
})
