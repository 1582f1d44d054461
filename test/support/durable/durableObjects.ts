import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ShardCall } from "../../../src/layers/durable/internal/shardHandoff.ts"
import * as ShardHost from "../../../src/layers/durable/internal/shardHost.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { Shard } from "../../../src/services/durable/Shard.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import type { DurableHistory } from "./durableHistory.ts"

interface Instance {
  readonly shard: Shard["Type"]
  readonly host: ShardHost.OwnHost
  readonly restore: Effect.Effect<number, unknown>
  readonly died: Deferred.Deferred<never, Error>
  /** Empty until it is restored. */
  ready: boolean
}

/**
 * Objects over what outlives them: their disks, and KV. One is made when it is first called.
 *
 * @param pageRows that one gives away, or drops, at once
 */
export const makeObjects = (
  pageRows: number,
  kv: Kv["Type"],
  outbox: Outbox["Type"],
  between: ShardCall,
  history: Pick<DurableHistory, "holderOf" | "lose" | "tell" | "watch">
) => {
  const disks = new Map<string, ShardMemory.ShardDisk>()
  const objects = new Map<string, Instance>()

  const instance = (name: string, ready: boolean): Effect.Effect<Instance> =>
    Effect.gen(function* () {
      const disk = disks.get(name) ?? ShardMemory.disk()
      disks.set(name, disk)
      const own = ShardMemory.make(disk)
      const shard = history.watch(name, own)
      const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(
          Effect.provideService(Shard, shard),
          Effect.provideService(Snapshots, SnapshotsKv.make(kv)),
          Effect.provideService(Outbox, outbox)
        ) as Effect.Effect<A, E>
      const flush = yield* provided(FlushShard.make(name))
      const restore = yield* provided(RestoreShard.make(name, (id) => history.holderOf(id) === name))
      const died = yield* Deferred.make<never, Error>()
      const hosted: typeof own = {
        ...shard,
        // What it merges itself is a snapshot; what it is given by others has only moved.
        merge: own.merge,
        rowsAfter: (after, limit, bytes, now) => own.rowsAfter(after, Math.min(limit, pageRows), bytes, now),
        drop: (limit) => own.drop(Math.min(limit, pageRows))
      }
      const host = ShardHost.make(hosted, { operations: { flush, restore, peers: between } })
      return { shard, host, restore, died, ready }
    })

  const found = (name: string): Effect.Effect<Instance> =>
    Effect.suspend(() => {
      const known = objects.get(name)
      return known !== undefined
        ? Effect.succeed(known)
        : Effect.tap(instance(name, true), (made) => Effect.sync(() => objects.set(name, made)))
    })

  const call: ShardCall = (name, method, ...args) =>
    Effect.flatMap(found(name), ({ died, host, ready }) => {
      if (!ready) return Effect.fail(new Error("the object is being restored"))
      return Effect.raceFirst((host as ShardHost.ShardHost)[method](...args), Deferred.await(died))
    })

  const die = (name: string) => Deferred.fail(objects.get(name)!.died, new Error("the object was reset"))

  /** An object that has lost its disk answers nobody until it is restored, as often as that takes. */
  const restore = (name: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const object = objects.get(name)!
      if (object.ready) return Effect.void
      return Effect.matchEffect(
        object.restore.pipe(Effect.timeout("1 minutes"), Effect.raceFirst(Deferred.await(object.died))),
        {
          onFailure: () => (object === objects.get(name) ? Effect.delay(restore(name), "1 seconds") : Effect.void),
          onSuccess: (rows) =>
            Effect.sync(() => {
              object.ready = true
              history.tell(`${name} restored ${rows} rows`)
            })
        }
      )
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
        const { ready } = objects.get(name)!
        yield* die(name)
        objects.set(name, yield* instance(name, ready))
        yield* restore(name)
      }),
    lose: (name: string) =>
      Effect.gen(function* () {
        yield* die(name)
        disks.delete(name)
        history.lose(name)
        objects.set(name, yield* instance(name, false))
        yield* restore(name)
      })
  }
}
