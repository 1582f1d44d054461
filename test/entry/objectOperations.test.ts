import { describe, expect, it } from "vitest"
import * as ObjectOperations from "../../src/entry/objectOperations.ts"
import * as MeteredStorage from "../../src/layers/durable/object/meteredStorage.ts"
import * as ShardMemory from "../../src/layers/durable/ShardMemory.ts"

const idOf = (name: string) => ({ name, equals: (other: { readonly name: string }) => other.name === name })

/** The operations of the object of this name, over what its storage keeps. */
const operationsOf = (name: string, kept: Map<string, unknown>, SHARDS: string) => {
  const kv = { get: (key: string) => kept.get(key), put: (key: string, value: unknown) => kept.set(key, value) }
  const context = { id: idOf(name) } as unknown as DurableObjectState
  const storage = MeteredStorage.make({ kv, sql: undefined } as unknown as DurableObjectStorage)
  const env = { CACHE_DO: { idFromName: idOf } as unknown as DurableObjectNamespace, CACHE_DO_KV: {} as KVNamespace }
  return ObjectOperations.make(context, { ...env, SHARDS }, ShardMemory.make(), storage)!
}

describe("how many objects share the snapshots of a day", () => {
  it("is the setting for those that it counts, whatever comes after them", () => {
    const kept = new Map<string, unknown>()
    const operations = operationsOf("shard-1", kept, "2")
    operations.joined!(5)
    expect(operations.shards!()).toBe(2)
    expect(kept.size).toBe(0)
  })

  it("is what they were told when keys came to those of a reshard, and they keep it", () => {
    const kept = new Map<string, unknown>()
    const operations = operationsOf("shard-3.1", kept, "1")
    expect(operations.shards!()).toBe(1)
    operations.joined!(3)
    expect(operations.shards!()).toBe(3)
    expect(operationsOf("shard-3.1", kept, "1").shards!()).toBe(3)
  })
})
