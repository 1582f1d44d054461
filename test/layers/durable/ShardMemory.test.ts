import { describe, it } from "@effect/vitest"
import type { PagingOptions } from "../../../src/layers/durable/internal/shard/shardPages.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import { laws } from "../../contracts/durable/Shard.ts"
import type { ShardWorld } from "../../contracts/durable/shardLaw.ts"
import { runs } from "../../support/runs.ts"

const world = (paging?: PagingOptions): ShardWorld => {
  let disk = ShardMemory.disk()
  return {
    begin: () => {
      disk = ShardMemory.disk()
      return ShardMemory.make(disk, paging)
    },
    restart: () => ShardMemory.make(disk, paging)
  }
}

describe("ShardMemory keeps the contract of Shard:", () => {
  it.each(laws)("$name", ({ check }) => check(world(), runs(600)))
  it.each(laws)("$name, with pages of a few rows", ({ check }) => check(world({ pageBytes: 480 }), runs(600)))
})
