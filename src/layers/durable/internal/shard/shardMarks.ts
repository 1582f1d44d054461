import { later } from "../../../../services/durable/Shard.ts"
import {
  collectionTag,
  compareStamps,
  isCollectionTag,
  type Stamp,
  zeroStamp
} from "../../../../services/store/model/Entry.ts"
import { hashedTag, isHashedTag } from "../../../../services/store/model/Tags.ts"
import { makeRecent } from "../../../base/recent.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

/** Marks that stay in memory, and tags that are known to have none: some 2 MB. The others are read when they matter. */
const heldMarks = 10_000

/** When each tag was last invalidated; that of a collection, by its clear. */
export const makeMarks = (rows: ShardRows) => {
  let known = makeRecent<string, Stamp>(heldMarks)
  let highest: number | undefined
  /** Entries that came from KV may have only the hashes of their tags: once there was one, tags are marked as both. */
  let hasHashes: boolean | undefined

  const of = (tag: string): Stamp => {
    let mark = known.get(tag)
    if (mark === undefined) {
      mark = rows.mark(tag) ?? zeroStamp
      known.put(tag, mark)
    }
    return mark
  }

  return {
    of,
    /** The latest of several tags' marks. */
    latest: (tags: ReadonlyArray<string>): Stamp => tags.map(of).reduce(later, zeroStamp),
    /**
     * A stamp above the marks of earlier lives, and above the versions that were raised over them; those of the others
     * are below `now`. Looks at all marks, once in a life.
     */
    above: (now: number): Stamp => {
      highest ??= rows.highestMark()
      return highest < now ? zeroStamp : { wall: highest + 1, counter: 0, writer: "" }
    },
    write: (tag: string, mark: Stamp, since: number): void => {
      rows.writeMark(tag, mark, since)
      known.put(tag, mark)
    },
    remove: (tag: string): void => {
      rows.removeMark(tag)
      known.put(tag, zeroStamp)
    },
    /** Tags of a row that is written. */
    noteHashes: (tags: ReadonlyArray<string> = []): void => {
      if (hasHashes === true || !tags.some(isHashedTag)) return
      rows.saveNote("hashedTags", true)
      hasHashes = true
    },
    /** What marks of these tags stand under. */
    formsOf: (tags: Iterable<string>): ReadonlySet<string> => {
      const forms = new Set(tags)
      hasHashes ??= rows.note("hashedTags") === true
      if (hasHashes) for (const tag of tags) if (!isCollectionTag(tag)) forms.add(hashedTag(tag))
      return forms
    },
    /** After a transaction that failed, what is known may not be what is stored. */
    forget: (): void => {
      known = makeRecent<string, Stamp>(heldMarks)
      hasHashes = undefined
    },
    /** Whether its collection was cleared, or one of its tags invalidated, after it. */
    endsEntry: ({ body, id, version }: Pick<RowHead, "id" | "version"> & { readonly body: RowHead["body"] }): boolean =>
      body !== undefined &&
      (compareStamps(version, of(collectionTag(id))) < 0 ||
        body.tags.some((tag) => compareStamps(version, of(tag)) < 0))
  }
}
