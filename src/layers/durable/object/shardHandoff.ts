import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { dropRows, pageBytes, pageRows } from "../../../services/durable/model/ReshardBill.ts"
import { objectName, placesOf, type Seal, sealedTo, type Topology } from "../../../services/durable/model/Topology.ts"
import type { ReshardState, ReshardStep } from "../../../services/durable/Resharding.ts"
import type { Shard, ShardImage } from "../../../services/durable/Shard.ts"
import { compareUtf8 } from "../../../services/kv/model/KvPaging.ts"
import { byShard } from "../internal/byShard.ts"
import type { Answer, Arguments, ShardMethod, ShardReply } from "./shardProtocol.ts"

/** One RPC to the object of this name. Fails with what the platform threw. */
export type ShardCall = <M extends ShardMethod>(
  object: string,
  method: M,
  ...args: Arguments<M>
) => Effect.Effect<ShardReply<Answer<M>>, unknown>

type Progress = Pick<ReshardState, "moved" | "dropped">

const nothing: ShardImage = { rows: [], tags: new Map() }

const none: Progress = { moved: 0, dropped: 0 }

/**
 * How an object gives its keys away, a step at a time and one step after the other. Each step may die anywhere and be
 * done again: rows are taken by version, and what is remembered is remembered after it is done.
 *
 * @param flush saves this object itself
 */
export const makeHandoff = (shard: Shard["Type"], call: ShardCall, flush: Effect.Effect<unknown, unknown>) => {
  const alone = Effect.unsafeMakeSemaphore(1)

  const ask = <M extends "receive" | "flush">(
    to: Topology,
    number: number,
    method: M,
    ...args: Arguments<M>
  ): Effect.Effect<Answer<M>, unknown> =>
    Effect.flatMap(call(objectName({ generation: to.generation, shard: number }), method, ...args), (reply) =>
      reply._tag === "Answered"
        ? Effect.succeed(reply.answer)
        : Effect.fail(new Error(`a new object answered ${reply._tag === "Failed" ? reply.failure : reply._tag}`))
    )

  const remember = (seal: Seal, change: Partial<Seal>) => Effect.sync(() => shard.setSeal({ ...seal, ...change }))

  /** To every new object; gives the ids of their disks. */
  const toAll = (seal: Seal, image: ShardImage) =>
    Effect.forEach(placesOf(seal.to), ({ shard }) => ask(seal.to, shard, "receive", image, seal.to.shards), {
      concurrency: "unbounded"
    })

  const announce = (seal: Seal, tags: ShardImage["tags"]): Effect.Effect<Progress, unknown> =>
    Effect.flatMap(toAll(seal, { rows: [], tags }), (lives) =>
      Effect.as(remember(seal, { phase: "announced", lives }), none)
    )

  /** A new object that has lost its disk has lost what it was given: all of it is sent again. */
  const sendAgain = (seal: Seal): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      yield* Effect.logWarning("an object that keys move to has lost its disk: they are sent again")
      const lives = yield* toAll(seal, nothing)
      yield* remember(seal, { lives, sent: "" })
    })

  const movePage = (seal: Seal): Effect.Effect<Progress, unknown> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const { last, rows } = shard.rowsAfter(seal.sent ?? "", pageRows, pageBytes, now)
      if (last === undefined) {
        yield* remember(seal, { phase: "moving", sent: undefined, done: true })
        return none
      }
      const lives = [...seal.lives]
      yield* Effect.forEach(
        byShard(rows, ({ id }) => id, seal.to.shards),
        ([number, positions]) =>
          Effect.map(
            ask(
              seal.to,
              number,
              "receive",
              { rows: positions.map((at) => rows[at]!), tags: new Map() },
              seal.to.shards
            ),
            (diskId) => {
              lives[number] = diskId
            }
          ),
        { concurrency: "unbounded", discard: true }
      )
      const through = compareUtf8(last, seal.through) > 0 ? last : seal.through
      yield* isSame(lives, seal.lives) ? remember(seal, { phase: "moving", sent: last, through }) : sendAgain(seal)
      return { ...none, moved: rows.length }
    })

  /** Nothing is dropped here before it is safe there. */
  const settle = (seal: Seal): Effect.Effect<Progress, unknown> =>
    Effect.gen(function* () {
      yield* Effect.forEach(placesOf(seal.to), ({ shard }) => ask(seal.to, shard, "flush"), {
        concurrency: "unbounded",
        discard: true
      })
      const lives = yield* toAll(seal, nothing)
      yield* isSame(lives, seal.lives) ? remember(seal, { phase: "retired" }) : sendAgain(seal)
      return none
    })

  /** With the last row goes the last snapshot's content: nothing of it may ever come back. */
  const retire = Effect.suspend(() => {
    const dropped = shard.drop(dropRows)
    return Effect.as(dropped === 0 && shard.dirty() ? flush : Effect.void, { ...none, dropped })
  })

  const move = Effect.suspend((): Effect.Effect<Progress, unknown> => {
    const seal = shard.seal()
    switch (seal?.phase) {
      case "announced":
        return movePage(seal)
      case "moving":
        return seal.sent === undefined ? settle(seal) : movePage(seal)
      case "retired":
        return retire
      default:
        return Effect.fail(new Error("this object was not told to give its keys away"))
    }
  })

  const take = (step: ReshardStep): Effect.Effect<Progress, unknown> =>
    Effect.suspend(() => {
      const seal = shard.seal()
      switch (step._tag) {
        case "Look":
        case "Marks":
          return Effect.succeed(none)
        case "Seal":
          if (seal === undefined) shard.setSeal(sealedTo(step.to))
          return Effect.succeed(none)
        case "Announce":
          return seal?.phase === "sealed" ? announce(seal, step.marks) : Effect.succeed(none)
        case "Move":
          return move
        case "GoOn":
          return seal?.phase === "moving" || seal?.phase === "retired" ? move : Effect.succeed(none)
        case "Complete":
          if (seal === undefined) return Effect.fail(new Error("this object has never given its keys away"))
          if (seal.phase !== "retired") return Effect.fail(new Error("this object still has keys to give away"))
          return seal.complete && seal.to.generation >= step.to.generation
            ? Effect.succeed(none)
            : Effect.as(remember(seal, { complete: true, to: step.to }), none)
      }
    })

  return (step: ReshardStep): Effect.Effect<ReshardState, unknown> =>
    Effect.map(alone.withPermits(1)(take(step)), (progress) => {
      const { bytes, entries, tombstones } = shard.stats()
      const state = { seal: shard.seal(), ...progress, stats: { bytes, entries, tombstones } }
      return step._tag === "Marks" ? { ...state, marks: shard.marks() } : state
    })
}

const isSame = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((diskId, index) => diskId === b[index])
