import type { ShardWrite } from "../../../services/durable/Shard.ts"
import { makeRecent } from "../../base/recent.ts"

/** Ids whose fill was left unstored that an object remembers. */
const heldIds = 20_000

/** The longest that it remembers one. Milliseconds. */
const longestMillis = 7 * 86_400_000

/**
 * Which fills that are to be stored only if they are wanted are so: those that somebody waits for, and those whose id was
 * filled before within the life of what it was filled with. The others keep their mark. In memory only: after a restart
 * of the object one more load of each runs.
 */
export const makeWantedFills = (isAwaited: (id: string) => boolean) => {
  const unstored = makeRecent<string, number>(heldIds)

  return (writes: ReadonlyArray<ShardWrite>, now: number): ReadonlyArray<ShardWrite> =>
    writes.map((write) => {
      const { body, id, ifWanted, ...rest } = write
      if (ifWanted === undefined) return write
      if (isAwaited(id) || now < (unstored.get(id) ?? 0)) return { ...rest, id, body }
      unstored.put(id, Math.min(body?.expiresAt ?? now, now + longestMillis))
      return write
    })
}
