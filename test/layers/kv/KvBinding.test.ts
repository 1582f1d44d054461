import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as KvBinding from "../../../src/layers/kv/KvBinding.ts"
import type { KvReason } from "../../../src/services/kv/Kv.ts"

const failing = (cause: unknown) => {
  const fail = () => Promise.reject(cause)
  return KvBinding.make({ getWithMetadata: fail, put: fail, delete: fail, list: fail } as unknown as KVNamespace)
}

const texts: ReadonlyArray<readonly [text: string, reason: KvReason]> = [
  ["KV put() limit exceeded for the day.", "DailyLimit"],
  ["KV list() limit exceeded for the day", "DailyLimit"],
  ["KV PUT failed: 429 Too Many Requests", "RateLimited"],
  ["Too many API requests by single Worker invocation.", "InvocationLimit"],
  ["Too many subrequests by single Worker invocation.", "InvocationLimit"],
  ["KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400.", "TooLarge"],
  ["KV GET_BULK failed: 413 Total size of request exceeds the limit of 25MB", "TooLarge"],
  ["KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.", "BadKey"],
  ["KV PUT failed: 400 Could not URL-decode key name", "BadKey"],
  ["Key name cannot be empty.", "BadKey"],
  ['"." is not allowed as a key name.', "BadKey"],
  ["KV GET failed: 400 Invalid cache_ttl of 10. Cache TTL must be at least 30.", "BadOption"],
  ["KV GET failed: 500 Internal Server Error", "Unavailable"],
  ["KV GET failed: 503 Service Unavailable: 429 of 500 keys", "Unavailable"],
  ["Network connection lost.", "Unavailable"],
  ["", "Unavailable"]
]

it.effect.each(texts)("%j is %s", ([text, reason]) =>
  Effect.gen(function* () {
    const cause = new Error(text)
    const kv = failing(cause)
    const asked = [kv.get("k"), kv.getBulk(["k"]), kv.put("k", new Uint8Array()), kv.delete("k")]
    const operations = ["get", "getBulk", "put", "delete"]
    for (const [i, effect] of asked.entries()) {
      const error = yield* Effect.flip(effect as Effect.Effect<unknown, Effect.Effect.Error<typeof effect>>)
      expect([error.operation, error.reason, error.cause]).toEqual([operations[i], reason, cause])
    }
  })
)

it.effect("a list whose prefix KV finds too long was given a bad option, not a bad key", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(failing(new Error("KV GET failed: 414 UTF-8 encoded length")).list())
    expect(error.reason).toBe("BadOption")
  })
)

it.effect("what is thrown without being an error, or before there is a promise, is a failure all the same", () =>
  Effect.gen(function* () {
    expect((yield* Effect.flip(failing("KV PUT failed: 429 Too Many Requests").delete("k"))).reason).toBe("RateLimited")
    const throwing = KvBinding.make({
      delete: () => {
        throw new Error("KV PUT failed: 429 Too Many Requests")
      }
    } as unknown as KVNamespace)
    expect((yield* Effect.flip(throwing.delete("k"))).reason).toBe("RateLimited")
  })
)

it.effect("a bulk answer that may not be what was put is undecodable", () =>
  Effect.gen(function* () {
    const found = new Map<string, unknown>([
      ["bare", ""],
      ["replaced", { value: "a\uFFFDb", metadata: null }],
      ["marked", { value: "\uFEFFa", metadata: null }],
      ["missing", null],
      ["empty", { value: "", metadata: { a: 1 } }],
      ["text", { value: "é", metadata: null }]
    ])
    const kv = KvBinding.make({ getWithMetadata: async () => found } as unknown as KVNamespace)
    expect([...(yield* kv.getBulk([...found.keys(), "left out"]))]).toEqual([
      ["bare", "undecodable"],
      ["replaced", "undecodable"],
      ["marked", "undecodable"],
      ["missing", undefined],
      ["empty", { value: new Uint8Array(), metadata: { a: 1 } }],
      ["text", { value: Uint8Array.of(0xc3, 0xa9), metadata: null }],
      ["left out", "undecodable"]
    ])
  })
)

it.effect("what KV would refuse is not asked", () =>
  Effect.gen(function* () {
    let asked = 0
    const ask = async () => {
      asked += 1
      return { keys: [], list_complete: true, value: null, metadata: null }
    }
    const kv = KvBinding.make({ getWithMetadata: ask, put: ask, delete: ask, list: ask } as unknown as KVNamespace)
    const value = new Uint8Array()
    yield* Effect.forEach(
      [kv.get(""), kv.getBulk([]), kv.put("k", value, { expirationTtl: 1 }), kv.delete(".."), kv.list({ limit: 0 })],
      (effect) => Effect.either(effect as Effect.Effect<unknown, unknown>)
    )
    expect(asked).toBe(0)
    yield* kv.get("k")
    expect(asked).toBe(1)
  })
)
