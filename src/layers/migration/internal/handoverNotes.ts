import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nextStamp, type ShardWrite } from "../../../services/durable/Shard.ts"
import type { Mode } from "../../../services/migration/RecordedMode.ts"
import type { HandOver, Head, Versioned } from "../../../services/migration/StoresOfRecord.ts"
import type { Entry } from "../../../services/store/model/Entry.ts"

/**
 * A hand-over is remembered as a row of its own beside the entry's, which expires with it. No collection begins with
 * `~`, and no id of one sorts behind it.
 */
const prefix = "~agreed/"

export const noteOf = (id: string): string => prefix + id

export const isNote = (id: string): boolean => id.startsWith("~")

/** How long the note counts as its writer's first try: what is agreed later replaces what was agreed before. */
const arrivalMillis = 60_000

/** @param said what the note says, or nothing: an object takes two writes of one stamp for one write that was sent twice */
const noteAt = (id: string, said: string, body: ShardWrite["body"], now: number): ShardWrite => ({
  id: noteOf(id),
  stamp: { wall: now, counter: 0, writer: `~${said}` },
  firstUntil: now + arrivalMillis,
  body
})

export const remembering =
  (to: Mode, now: number) =>
  ({ expiresAt, id, version }: Omit<Head, "tags">): ShardWrite => {
    const said = JSON.stringify([to, version.wall, version.counter, version.writer])
    const value = new TextEncoder().encode(said)
    return noteAt(id, said, { value, contentType: "application/json", tags: [], expiresAt, loadMillis: 0 }, now)
  }

export const forgetting =
  (now: number) =>
  (id: string): ShardWrite =>
    noteAt(id, "", undefined, now)

const decode = Schema.decodeOption(
  Schema.parseJson(Schema.Tuple(Schema.Literal("kv", "durable"), Schema.Number, Schema.Number, Schema.String))
)

/**
 * What a note says. One that cannot be read says nothing: the entry is handed over again, by version, and nothing is
 * deleted for its sake.
 */
export const remembered = (note: Entry | undefined): HandOver | undefined => {
  const said = note && Option.getOrUndefined(decode(new TextDecoder().decode(note.value)))
  if (note === undefined || said === undefined) return undefined
  const [to, wall, counter, writer] = said
  return { to, version: { wall, counter, writer }, at: note.stamp.wall }
}

/** A delete of exactly this version, and of nothing above it. */
export const deleting = ({ id, version }: Versioned): ShardWrite => ({
  id,
  stamp: nextStamp(version, "~"),
  body: undefined
})

/** The write that brings an entry in under its own version. */
export const bringing = (id: string, { stamp, ...body }: Entry, packed: boolean): ShardWrite => ({
  id,
  stamp,
  body,
  packed
})
