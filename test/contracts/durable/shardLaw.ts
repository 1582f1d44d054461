import type { Shard } from "../../../src/services/durable/Shard.ts"

type ShardService = Shard["Type"]

/** A disk and the shards that live on it one after another. */
export interface ShardWorld {
  /** A shard on an empty disk. */
  readonly begin: () => ShardService
  /** A new life on the same disk. */
  readonly restart: () => ShardService
}

/** What every layer of `Shard` promises. Plain functions that throw, so that they run inside an object as well. */
export interface Law {
  readonly name: string
  readonly check: (world: ShardWorld, runs: number) => void
}
