import type { Version } from "../../../services/simulation/model/KvConsistency.ts"

interface Cached {
  version: Version
  until: number
}

/** The answers that one location reuses without asking further, "there is none" included. */
export interface KvReuse {
  readonly get: (key: string, now: number) => Version | undefined
  readonly set: (key: string, version: Version, until: number, now: number) => void
  readonly delete: (key: string) => void
}

export const make = (): KvReuse => {
  const cached = new Map<string, Cached>()
  let sweepAt = 1 << 16

  const sweep = (now: number): void => {
    for (const [key, { until }] of cached) if (until <= now) cached.delete(key)
    sweepAt = Math.max(1 << 16, cached.size * 2)
  }

  return {
    get: (key, now) => {
      const found = cached.get(key)
      return found !== undefined && now < found.until ? found.version : undefined
    },
    set: (key, version, until, now) => {
      const found = cached.get(key)
      if (found !== undefined) {
        found.version = version
        found.until = until
      } else {
        if (cached.size >= sweepAt) sweep(now)
        cached.set(key, { version, until })
      }
    },
    delete: (key) => {
      cached.delete(key)
    }
  }
}
