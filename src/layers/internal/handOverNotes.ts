import type { Entry } from "../../services/Entry.ts"
import { nextStamp, type ShardWrite } from "../../services/Shard.ts"
import type { Head, Versioned } from "../../services/StoresOfRecord.ts"

/**
 * A hand-over is remembered as a row of its own beside the entry's, whose version is the one handed over and which
 * expires with it. No collection begins with `~`, and no id of one sorts behind it.
 */
const prefix = "~agreed/"

export const noteOf = (id: string): string => prefix + id

export const isNote = (id: string): boolean => id.startsWith("~")

export const remembering = ({ expiresAt, id, version }: Head): ShardWrite => ({
  id: noteOf(id),
  stamp: version,
  body: { value: new Uint8Array(0), contentType: "", tags: [], expiresAt, loadMillis: 0 }
})

export const forgetting = ({ id, version }: Versioned): ShardWrite => deleting({ id: noteOf(id), version })

/** A delete of exactly this version, and of nothing above it. */
export const deleting = ({ id, version }: Versioned): ShardWrite => ({
  id,
  stamp: nextStamp(version, "~"),
  body: undefined
})

/** The write that brings an entry in under its own version. */
export const bringing = (id: string, { stamp, ...body }: Entry): ShardWrite => ({ id, stamp, body })
