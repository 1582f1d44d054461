import * as fc from "effect/FastCheck"
import type { CapturedImage, Shard, ShardImage, ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"
import { make as makeStamper } from "../../../src/services/store/Stamper.ts"
import { imageIn } from "../snapshots/wholeImages.ts"

/** Ids and prefixes on which UTF-8 and UTF-16 disagree, that hold what SQL or LIKE might mistake, or hold NUL. */
const ids = ["a/x", "a/\uffee", "a/\u{10ffff}", "a/\u{1f4a7}%_'", "a\u{10ffff}", "b/", "b/\0", "b/\0z"]
const prefixes = ["", "a/", "a", "a/\u{10ffff}", "b/\0", "\u{10ffff}", "a/\ud7ff", "%"]
const tags = ["t", "u", "ü/\0"]
const writers = ["ann", "bob", "cy"]

const id = fc.constantFrom(...ids)
const body = fc.record({
  value: fc.constantFrom("", "1", "2", "a longer value").map((text) => new TextEncoder().encode(text)),
  contentType: fc.constantFrom("text/plain", "application/json"),
  tags: fc.subarray(tags, { maxLength: 2 }),
  ttl: fc.constantFrom(40, 5000, Number.POSITIVE_INFINITY),
  loadMillis: fc.constantFrom(0, 12.5)
})
/** What its writer's clock is ahead of the shard's, in milliseconds. */
const skew = fc.constantFrom(0, 0, 0, -30, -3, 3, 30, 2000)
const writer = fc.constantFrom(...writers)
const pick = fc.nat({ max: 50 })

/** The policy of a collection may change between any two writes; a write from outside knows none. */
const packed = fc.constantFrom(true, true, false, undefined)

const write = fc.record({ id, body: fc.option(body, { nil: undefined, freq: 4 }), skew, writer, packed })

/** One thing done to a shard, or the passing of time. `pick` chooses among what went before. */
export const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ _: fc.constant("write" as const), writes: fc.array(write, { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("park" as const), write }) },
  { weight: 4, arbitrary: fc.record({ _: fc.constant("resend" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ _: fc.constant("fill" as const), pick, write }) },
  { weight: 3, arbitrary: fc.record({ _: fc.constant("lease" as const), id, patience: fc.constantFrom(5, 1000) }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("release" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("invalidate" as const), tags: fc.subarray(tags), skew, writer }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _: fc.constant("list" as const),
      prefix: fc.constantFrom(...prefixes),
      after: fc.option(id, { nil: undefined }),
      limit: fc.integer({ min: 1, max: 4 })
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      _: fc.constant("clear" as const),
      prefix: fc.constantFrom("a/", "b/"),
      skew,
      writer
    })
  },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("sweep" as const) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("capture" as const) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("clean" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("merge" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("restart" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      _: fc.constant("wait" as const),
      millis: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(1, 5, 50, 6000) },
        { weight: 1, arbitrary: fc.constantFrom(9 * 86_400_000) }
      )
    })
  }
)

export type Operation = typeof operation extends fc.Arbitrary<infer A> ? A : never

/** Grants, marks and captures that one of several shards gave on its way through the same operations. */
export interface Given {
  readonly leases: Array<{ readonly id: string; readonly lease: number | undefined }>
  readonly marks: Array<number>
}

export const noneGiven = (): Given => ({ leases: [], marks: [] })

export type Member = Pick<
  Shard["Type"],
  "getMany" | "apply" | "lease" | "release" | "list" | "sweep" | "dirty" | "merge"
> & { readonly capture: () => CapturedImage; readonly clean: (mark: number) => void }

/** A shard as one of them. */
export const memberOf = (shard: Shard["Type"]): Member => ({
  ...shard,
  capture: () => ({ ...wherever(imageIn(shard)), mark: shard.source.whole(Number.POSITIVE_INFINITY, 0)!.mark }),
  clean: (mark) => shard.source.commit(mark, undefined, "none")
})

/** Where a row lies is no part of what it says. */
const wherever = (image: ShardImage): ShardImage => ({ ...image, rows: image.rows.map(({ packed: _, ...row }) => row) })

/** What the next operation means at its moment: the same for every shard it is done to. */
export interface Step {
  readonly now: number
  readonly restart: boolean
  readonly invalidate: { readonly tags: ReadonlyArray<string>; readonly stamp: Stamp } | undefined
  readonly clear: { readonly prefix: string; readonly stamp: Stamp } | undefined
  readonly run: (shard: Member, given: Given) => unknown
}

/** Turns operations into steps, with the clock and the stamps of all writers. */
export const makeInterpreter = () => {
  const stampers = new Map(writers.map((name) => [name, makeStamper(() => name)]))
  const sent: Array<ShardWrite> = []
  const images: Array<ShardImage> = []
  let now = 1_700_000_000_000

  const stampOf = (writer: string, skew: number): Stamp => stampers.get(writer)!.next(now + skew)

  const writeOf = ({
    body,
    id,
    packed,
    skew,
    writer
  }: typeof write extends fc.Arbitrary<infer A> ? A : never): ShardWrite => {
    const made = {
      id,
      stamp: stampOf(writer, skew),
      body: body && {
        value: body.value,
        contentType: body.contentType,
        tags: body.tags,
        loadMillis: body.loadMillis,
        expiresAt: now + body.ttl
      },
      ...(packed === undefined ? {} : { packed })
    }
    sent.push(made)
    return made
  }

  const nothing = { restart: false, invalidate: undefined, clear: undefined, run: () => undefined }

  return {
    images,
    step: (operation: Operation): Step => {
      const step = (run: Step["run"]): Step => ({ ...nothing, now, run })
      switch (operation._) {
        case "wait":
          now += operation.millis
          return { ...nothing, now }
        case "restart":
          // No object restarts within a millisecond, and the stamps ahead of its clock are no further than two seconds.
          now += 1
          return { ...nothing, now, restart: true }
        case "write": {
          const writes = operation.writes.map((write) => ({ ...writeOf(write), firstUntil: now }))
          return step((shard) => shard.apply(writes, now))
        }
        case "park":
          writeOf(operation.write)
          return { ...nothing, now }
        case "resend": {
          const write = sent[operation.pick % Math.max(1, sent.length)]
          return step((shard) => (write === undefined ? undefined : shard.apply([write], now)))
        }
        case "fill": {
          const write = writeOf(operation.write)
          return step((shard, { leases }) => {
            const grant = leases[operation.pick % Math.max(1, leases.length)]
            if (grant?.lease === undefined) return undefined
            return shard.apply([{ ...write, id: grant.id, lease: grant.lease }], now)
          })
        }
        case "lease":
          return step((shard, { leases }) => {
            const lease = shard.lease(operation.id, now + operation.patience, now)
            leases.push({ id: operation.id, lease })
            return lease !== undefined
          })
        case "release":
          return step((shard, { leases }) => {
            const grant = leases[operation.pick % Math.max(1, leases.length)]
            if (grant?.lease !== undefined) shard.release(grant.id, grant.lease)
          })
        case "invalidate":
          return {
            ...nothing,
            now,
            invalidate: { tags: operation.tags, stamp: stampOf(operation.writer, operation.skew) }
          }
        case "list":
          return step((shard) => shard.list(operation.prefix, operation.after, operation.limit, now))
        case "clear":
          return {
            ...nothing,
            now,
            clear: { prefix: operation.prefix, stamp: stampOf(operation.writer, operation.skew) }
          }
        case "sweep":
          return step((shard) => shard.sweep(1000, now).dropped)
        case "capture":
          return step((shard, { marks }) => {
            const { mark, ...image } = shard.capture()
            marks.push(mark)
            images.push(image)
            return image
          })
        case "clean":
          return step((shard, { marks }) => {
            const mark = marks[operation.pick % Math.max(1, marks.length)]
            if (mark !== undefined) shard.clean(mark)
          })
        case "merge":
          return step((shard) => {
            const image = images[operation.pick % Math.max(1, images.length)]
            return image && shard.merge(image, now)
          })
      }
    },
    /** All that a reader could ask now. */
    look: (shard: Member) => [
      shard.getMany(ids, now),
      shard.list("", undefined, 1000, now),
      shard.dirty(),
      imageOf(shard)
    ]
  }
}

const imageOf = (shard: Member): ShardImage => {
  const { rows, tags } = shard.capture()
  return { rows, tags }
}
