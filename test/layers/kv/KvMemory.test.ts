import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract("KvMemory", KvMemory.make, { runs: runs(100) })

const key = fc.constantFrom("a", "b", "b/1", "b/2", "c")
const ttl = fc.option(fc.integer({ min: 60, max: 300 }), { nil: undefined })

const command = fc.oneof(
  fc.record({ do: fc.constant("put" as const), key, value: fc.integer({ min: 0, max: 255 }), ttl }),
  fc.record({ do: fc.constant("delete" as const), key }),
  fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ do: fc.constant("get" as const), key }),
  fc.record({ do: fc.constant("getBulk" as const), keys: fc.uniqueArray(key, { minLength: 1 }) }),
  fc.record({ do: fc.constant("list" as const), prefix: fc.constantFrom("", "a", "b", "b/") })
)

it.effect.prop(
  "KvMemory is a Map whose entries end with their ttl",
  [fc.array(command, { maxLength: 40 })],
  ([commands]) =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      const model = new Map<string, { readonly value: number; readonly until: number }>()
      let now = 0
      const live = (key: string) => {
        const found = model.get(key)
        return found !== undefined && now < found.until ? found : undefined
      }
      for (const command of commands) {
        switch (command.do) {
          case "put": {
            const options = command.ttl === undefined ? undefined : { expirationTtl: command.ttl }
            yield* kv.put(command.key, Uint8Array.of(command.value), options)
            model.set(command.key, { value: command.value, until: now + (command.ttl ?? Number.POSITIVE_INFINITY) })
            break
          }
          case "delete":
            yield* kv.delete(command.key)
            model.delete(command.key)
            break
          case "wait":
            yield* TestClock.adjust(`${command.seconds} seconds`)
            now += command.seconds
            break
          case "get":
            expect(Option.getOrUndefined(yield* kv.get(command.key))?.value[0]).toBe(live(command.key)?.value)
            break
          case "getBulk": {
            const answers = yield* kv.getBulk(command.keys)
            for (const key of command.keys) {
              const answer = answers.get(key)
              const expected = live(key)?.value
              if (answer === "undecodable") expect(expected).toBeGreaterThan(127)
              else expect(answer?.value[0]).toBe(expected)
            }
            break
          }
          case "list": {
            const { keys } = yield* kv.list({ prefix: command.prefix })
            expect(keys.map(({ name, expiration }) => [name, expiration])).toEqual(
              [...model.keys()]
                .filter((key) => key.startsWith(command.prefix) && live(key) !== undefined)
                .sort()
                .map((key) => {
                  const until = live(key)!.until
                  return [key, until === Number.POSITIVE_INFINITY ? undefined : until]
                })
            )
          }
        }
      }
    }),
  { fastCheck: { numRuns: runs(200) } }
)

it.effect("an entry is there until the last moment of its ttl, and then nowhere", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    yield* kv.put("a", Uint8Array.of(1), { expirationTtl: 60 })
    yield* TestClock.adjust("59999 millis")
    expect(Option.isSome(yield* kv.get("a"))).toBe(true)
    yield* TestClock.adjust("1 millis")
    expect(Option.isNone(yield* kv.get("a"))).toBe(true)
    expect((yield* kv.getBulk(["a"])).get("a")).toBeUndefined()
    expect((yield* kv.list()).keys).toEqual([])
  })
)

it.effect("a put without a ttl makes an entry that had one immortal", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    yield* kv.put("a", Uint8Array.of(1), { expirationTtl: 60 })
    yield* kv.put("a", Uint8Array.of(2))
    yield* TestClock.adjust("365 days")
    expect(Option.getOrThrow(yield* kv.get("a")).value[0]).toBe(2)
  })
)

it.effect("a bulk read drops the byte order mark, as KV's does", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    yield* kv.put("a", Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))
    expect((yield* kv.getBulk(["a"])).get("a")).toEqual({ value: Uint8Array.of(0x61), metadata: null })
  })
)
