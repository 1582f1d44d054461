import * as Effect from "effect/Effect"
import type { FrameError } from "../../../services/compression/model/Frame.ts"
import type { ImageSource, ShardRow } from "../../../services/durable/Shard.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import type { Run, SegmentRef } from "../../../services/snapshots/model/Generation.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"
import { type Block, markBlock, rowBlock, rowBytes } from "./snapshotFrames.ts"
import type * as SnapshotSegments from "./snapshotSegments.ts"

const marksPerBlock = 10_000

export interface RunOptions {
  readonly segmentBytes: number
  readonly blockBytes: number
}

/** Writes a run block by block, as segments that are put as soon as they are full; others run between two blocks. */
const makeRun = (
  shard: string,
  segments: ReturnType<typeof SnapshotSegments.make>,
  { blockBytes, segmentBytes }: RunOptions,
  now: number
) => {
  const done: Array<SegmentRef> = []
  let waiting: Array<Block> = []
  let size = 0

  const put: Effect.Effect<void, KvError> = Effect.suspend(() => {
    if (waiting.length === 0) return Effect.void
    const [group, bytes] = [waiting, size]
    ;[waiting, size] = [[], 0]
    const name = segments.nameOf(group, now)
    return Effect.map(segments.put(shard, name, group), () => {
      done.push({ ...name, bytes, blocks: group.map(({ first, marks }) => ({ first, marks })) })
    })
  })

  const add = (block: Block): Effect.Effect<void, KvError> =>
    Effect.gen(function* () {
      if (size > 0 && size + block.frame.byteLength > segmentBytes) yield* put
      waiting.push(block)
      size += block.frame.byteLength
      yield* Effect.sleep(0)
    })

  let rows: Array<ShardRow> = []
  let rowsSize = 0

  const close = Effect.suspend(() => {
    if (rows.length === 0) return Effect.void
    const block = rowBlock(rows)
    ;[rows, rowsSize] = [[], 0]
    return Effect.flatMap(block, add)
  })

  return {
    marks: (page: ReadonlyArray<readonly [string, Stamp]>) =>
      page.length === 0 ? Effect.void : Effect.flatMap(markBlock(page), add),
    row: (row: ShardRow): Effect.Effect<void, KvError | FrameError> =>
      Effect.suspend(() => {
        const isFull = rowsSize > 0 && rowsSize + rowBytes(row) > blockBytes
        return Effect.map(isFull ? close : Effect.void, () => {
          rows.push(row)
          rowsSize += rowBytes(row)
        })
      }),
    end: Effect.zipRight(
      close,
      Effect.map(put, (): Run => done)
    )
  }
}

/** All that counts in the shard, while it goes on changing. */
export const wholeRun = (
  shard: string,
  source: ImageSource,
  segments: ReturnType<typeof SnapshotSegments.make>,
  options: RunOptions,
  now: number
): Effect.Effect<Run, KvError | FrameError> =>
  Effect.gen(function* () {
    const run = makeRun(shard, segments, options, now)
    for (let after: string | undefined; ; ) {
      const page = source.marksAfter(after, marksPerBlock)
      yield* run.marks(page)
      if (page.length < marksPerBlock) break
      after = page.at(-1)![0]
    }
    for (let after = ""; ; ) {
      const page = source.rowsAfter(after, options.blockBytes, now)
      for (const row of page.rows) yield* run.row(row)
      if (page.last === undefined) break
      after = page.last
    }
    return yield* run.end
  })

/** What had changed since the base at the moment of the call, or has changed again. */
export const changedRun = (
  shard: string,
  source: ImageSource,
  segments: ReturnType<typeof SnapshotSegments.make>,
  options: RunOptions,
  now: number
): Effect.Effect<Run, KvError | FrameError> =>
  Effect.gen(function* () {
    const [marks, changed] = [[...source.changedMarks()], source.changedIds()]
    const run = makeRun(shard, segments, options, now)
    for (let at = 0; at < marks.length; at += marksPerBlock) yield* run.marks(marks.slice(at, at + marksPerBlock))
    for (const { id } of changed) for (const row of source.read([id])) yield* run.row(row)
    return yield* run.end
  })
