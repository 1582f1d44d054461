import { describe, it } from "@effect/vitest"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import { laws } from "../../contracts/durable/Shard.ts"
import type { ShardWorld } from "../../contracts/durable/shardLaw.ts"
import { runs } from "../../support/runs.ts"

const world = (): ShardWorld => {
  let disk = ShardMemory.disk()
  return {
    begin: () => {
      disk = ShardMemory.disk()
      return ShardMemory.make(disk)
    },
    restart: () => ShardMemory.make(disk)
  }
}

describe("ShardMemory keeps the contract of Shard:", () => {
  it.each(laws)("$name", ({ check }) => check(world(), runs(600)))
})
