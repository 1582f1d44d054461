import type { ShardWrite } from "../../../services/durable/Shard.ts"
import { compareStamps, type Stamp } from "../../../services/store/model/Entry.ts"
import { bytesOf } from "../../../services/store/model/EntryBytes.ts"

/** A write of this isolate that lies in the outbox, as far as is known here. */
export interface Parked {
  readonly id: string
  readonly stamp: Stamp
  /** Its name in the outbox. */
  readonly name: string
  /** Bytes of its value. */
  readonly bytes: number
  /** Undefined where only the outbox has it. */
  readonly write: ShardWrite | undefined
}

export interface ParkedLimits {
  /** Values that are remembered. Of what is parked beyond that the name is. */
  readonly bytes: number
  /** Ids that are remembered. What is parked beyond that is brought to its shard by the sweep alone. */
  readonly ids: number
}

/** An isolate has 128 MB for everything. */
const defaults: ParkedLimits = { bytes: 8 * 1024 * 1024, ids: 20_000 }

/** The writes that this isolate has parked and not seen delivered, the latest of each id. */
export const makeParkedWrites = ({ bytes, ids }: ParkedLimits = defaults) => {
  const parked = new Map<string, Parked>()
  let held = 0

  const forget = (id: string): void => {
    const known = parked.get(id)
    if (known === undefined) return
    if (known.write !== undefined) held -= known.bytes
    parked.delete(id)
  }

  return {
    isEmpty: (): boolean => parked.size === 0,
    get: (id: string): Parked | undefined => parked.get(id),

    /** Writes that the outbox has taken under a name. */
    add: (writes: ReadonlyArray<ShardWrite>, name: string): void => {
      for (const write of writes) {
        const { id, stamp } = write
        forget(id)
        if (parked.size >= ids) continue
        const own = bytesOf(write.body)
        const isHeld = held + own <= bytes
        if (isHeld) held += own
        parked.set(id, { id, stamp, name, bytes: own, write: isHeld ? write : undefined })
      }
    },

    /** A write came to its shard, or one of a later stamp did. */
    delivered: ({ id, stamp }: Pick<Parked, "id" | "stamp">): void => {
      const known = parked.get(id)
      if (known !== undefined && compareStamps(known.stamp, stamp) <= 0) forget(id)
    },

    /** The oldest first, of the ids that are wanted. */
    *of(isWanted: (id: string) => boolean): Iterable<Parked> {
      for (const one of parked.values()) if (isWanted(one.id)) yield one
    }
  }
}
