import { later } from "../../../services/durable/Shard.ts"
import { compareStamps, type Stamp, zeroStamp } from "../../../services/store/model/Entry.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

/** When each tag was last invalidated, each mark read once in a life of the shard. */
export const makeMarks = (rows: ShardRows) => {
  const known = new Map<string, Stamp>()
  let highest: number | undefined

  const of = (tag: string): Stamp => {
    let mark = known.get(tag)
    if (mark === undefined) {
      mark = rows.mark(tag) ?? zeroStamp
      known.set(tag, mark)
    }
    return mark
  }

  return {
    of,
    /** The latest of several tags' marks. */
    latest: (tags: ReadonlyArray<string>): Stamp => tags.map(of).reduce(later, zeroStamp),
    /**
     * A stamp above the marks of earlier lives, and above the versions that were raised over them; those of the others
     * are below `now`. Reads all marks, once in a life.
     */
    above: (now: number): Stamp => {
      highest ??= [...rows.marks().values()].reduce((highest, { wall }) => Math.max(highest, wall), 0)
      return highest < now ? zeroStamp : { wall: highest + 1, counter: 0, writer: "" }
    },
    write: (tag: string, mark: Stamp): void => {
      rows.writeMark(tag, mark)
      known.set(tag, mark)
    },
    remove: (tag: string): void => {
      rows.removeMark(tag)
      known.delete(tag)
    },
    /** After a transaction that failed, what is known may not be what is stored. */
    forget: (): void => known.clear(),
    /** Whether one of an entry's tags was invalidated after it. */
    endsEntry: ({ body, version }: Pick<RowHead, "version"> & { readonly body: RowHead["body"] }): boolean =>
      body?.tags.some((tag) => compareStamps(version, of(tag)) < 0) ?? false
  }
}
