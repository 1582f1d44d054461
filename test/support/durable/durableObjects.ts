import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardHost from "../../../src/layers/durable/object/shardHost.ts"
import * as ShardRecovery from "../../../src/layers/durable/object/shardRecovery.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { later, Shard, type ShardRow } from "../../../src/services/durable/Shard.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"
import type { DurableHistory } from "./durableHistory.ts"

interface Instance {
  readonly shard: Shard["Type"]
  readonly host: ShardHost.OwnHost
  readonly recovery: ShardRecovery.ShardRecovery
  readonly died: Deferred.Deferred<never, Error>
}

/** What a few rows pack into is a base, and changes are written over it: inline, or as runs of their own. */
const smallBases = {
  inline: { wholeBytes: 40, changesShare: 20, inlineBytes: 300, segmentBytes: 200, blockBytes: 100 },
  runs: { wholeBytes: 40, changesShare: 20, inlineBytes: 20, segmentBytes: 200, blockBytes: 100 }
} satisfies Record<string, SnapshotsKv.SnapshotsKvOptions>

export type SmallBase = keyof typeof smallBases

/**
 * Objects over what outlives them: their disks, and KV. One is made when it is first called.
 *
 * @param pageRows that one gives away, or drops, at once
 * @param base whether snapshots have one, as those of large shards do
 */
export const makeObjects = (
  { base, pageRows }: { readonly base?: SmallBase | undefined; readonly pageRows: number },
  kv: Kv["Type"],
  outbox: Outbox["Type"],
  between: ShardCall,
  history: Pick<DurableHistory, "holderOf" | "loaded" | "lose" | "recovered" | "tell" | "watch">
) => {
  const disks = new Map<string, ShardMemory.ShardDisk>()
  const objects = new Map<string, Instance>()

  /** What they load is held against what they have saved. */
  const watched = (snapshots: Snapshots["Type"]): Snapshots["Type"] => ({
    ...snapshots,
    load: (shard, take) => {
      const rows: Array<ShardRow> = []
      const tags = new Map<string, Stamp>()
      const load = snapshots.load(shard, (part) => {
        rows.push(...part.rows)
        for (const [tag, mark] of part.tags) tags.set(tag, later(mark, tags.get(tag) ?? mark))
        return take(part)
      })
      return Effect.tap(load, (found) => Effect.sync(() => (found ? history.loaded(shard, { rows, tags }) : undefined)))
    }
  })

  /** Those that their objects have recovered. */
  const settled = new WeakSet<ShardMemory.ShardDisk>()

  const instance = (name: string): Effect.Effect<Instance> =>
    Effect.gen(function* () {
      const disk = disks.get(name) ?? ShardMemory.disk()
      disks.set(name, disk)
      const own = ShardMemory.make(disk)
      const shard = history.watch(name, own)
      const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(
          Effect.provideService(Shard, shard),
          Effect.provideService(
            Snapshots,
            watched(
              SnapshotsKv.make(kv, base === undefined ? {} : { ...smallBases[base], keepSuperseded: "10 minutes" })
            )
          ),
          Effect.provideService(Outbox, outbox)
        ) as Effect.Effect<A, E>
      const flush = yield* provided(FlushShard.make(name))
      const snapshot = yield* provided(RestoreShard.fromSnapshot(name))
      const parked = yield* provided(RestoreShard.fromOutbox((id) => history.holderOf(id) === name))
      const died = yield* Deferred.make<never, Error>()
      const hosted: typeof own = {
        ...shard,
        // What it merges itself is a snapshot; what it is given by others has only moved.
        merge: own.merge,
        rowsAfter: (after, limit, bytes, now) => own.rowsAfter(after, Math.min(limit, pageRows), bytes, now),
        drop: (limit) => own.drop(Math.min(limit, pageRows))
      }
      const recovery = ShardRecovery.make(
        (onKnown) =>
          Effect.gen(function* () {
            const rows = yield* snapshot
            history.recovered(name)
            onKnown()
            const writes = yield* parked
            settled.add(disk)
            history.tell(`${name} recovered ${rows} rows, and ${writes} writes from outside`)
          }).pipe(Effect.raceFirst(Deferred.await(died)), Effect.timeout("1 minutes")),
        () => settled.has(disk)
      )
      const restore = () => Effect.zipWith(snapshot, parked, (rows, writes) => rows + writes)
      const host = ShardHost.make(hosted, { operations: { flush, restore, recovery, peers: between } })
      return { shard, host, recovery, died }
    })

  const found = (name: string): Effect.Effect<Instance> =>
    Effect.suspend(() => {
      const known = objects.get(name)
      return known !== undefined
        ? Effect.succeed(known)
        : Effect.suspend(() => {
            const disk = ShardMemory.disk()
            disks.set(name, disk)
            settled.add(disk)
            return Effect.tap(instance(name), (made) => Effect.sync(() => objects.set(name, made)))
          })
    })

  const call: ShardCall = (name, method, ...args) =>
    Effect.flatMap(found(name), ({ died, host }) =>
      Effect.raceFirst((host as ShardHost.ShardHost)[method](...args), Deferred.await(died))
    )

  const die = (name: string) => Deferred.fail(objects.get(name)!.died, new Error("the object was reset"))

  /** What its alarm does: tries to recover, as often as that takes. */
  const recover = (name: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const object = objects.get(name)!
      const again = Effect.suspend(() =>
        object === objects.get(name) ? Effect.delay(recover(name), "1 seconds") : Effect.void
      )
      return Effect.catchAllCause(object.recovery.attempt, () => again)
    })

  return {
    objects: objects as ReadonlyMap<string, Instance>,
    found,
    call,
    /** One of all there are. */
    nameAt: (number: number): string => [...objects.keys()][number % objects.size]!,
    /** Those that have keys. */
    inForce: (): ReadonlyArray<string> =>
      [...objects].flatMap(([name, { shard }]) => (shard.seal() === undefined ? [name] : [])),
    restart: (name: string) =>
      Effect.gen(function* () {
        history.tell(`${name} restarts`)
        yield* die(name)
        objects.set(name, yield* instance(name))
        yield* recover(name)
      }),
    lose: (name: string) =>
      Effect.gen(function* () {
        yield* die(name)
        disks.delete(name)
        history.lose(name)
        objects.set(name, yield* instance(name))
        yield* recover(name)
      })
  }
}
