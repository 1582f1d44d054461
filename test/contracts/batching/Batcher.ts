import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import {
  Batcher,
  type ReadMany,
  type ReadOutcome,
  type StampedWrite,
  type WriteMany
} from "../../../src/services/batching/Batcher.ts"
import { KvError } from "../../../src/services/kv/Kv.ts"
import { type Collection, define } from "../../../src/services/store/model/Collection.ts"
import type { Entry, Observation } from "../../../src/services/store/model/Entry.ts"
import { addressOf } from "../../../src/services/tiers/ReadPath.ts"

export const through = define("through")
export const behind = define("behind", { write: "behind", flushEvery: "10 seconds" })

let serial = 0

export const entry = (text: string): Entry => ({
  value: new TextEncoder().encode(text),
  contentType: "text/plain",
  tags: [],
  stamp: { wall: ++serial, counter: 0, writer: "w" },
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
})

export const write = (collection: Collection, key: string, text: string | undefined): StampedWrite => {
  const made = entry(text ?? "")
  return {
    address: addressOf(collection, key),
    entry: text === undefined ? undefined : made,
    stamp: made.stamp
  }
}

/** A store of record that tells what it was asked, one line a call, and refuses what `refuses` says. */
export const makeRecord = (refuses: (key: string) => KvError | undefined = () => undefined) => {
  const held = new Map<string, Entry>()
  const calls: Array<string> = []
  const puts = new Map<string, number>()
  const readMany: ReadMany = (addresses) =>
    Effect.sync(() => {
      calls.push(`read ${addresses.map(({ key }) => key).join(" ")}`)
      return addresses.map(({ id }): Observation => ({ entry: held.get(id), readAt: 0 }))
    })
  const writeMany: WriteMany = (writes) =>
    Effect.sync(() => {
      calls.push(`write ${writes.map(({ address }) => address.key).join(" ")}`)
      return writes.map(({ address, entry }) => {
        const error = refuses(address.key)
        if (error !== undefined) return error
        puts.set(address.id, (puts.get(address.id) ?? 0) + 1)
        if (entry === undefined) held.delete(address.id)
        else held.set(address.id, entry)
        return undefined
      })
    })
  return { held, calls, puts, readMany, writeMany }
}

export const refusal = (reason: KvError["reason"]) => new KvError({ operation: "put", reason })

/** One invocation's background: its work runs before the caller goes on. */
export const invocation = (): BackgroundService => ({
  run: (effect) => Effect.asVoid(Effect.exit(effect)),
  promise: () => undefined
})

export const invoked = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => Effect.provideService(effect, Background, invocation()))

const texts = (outcomes: ReadonlyArray<ReadOutcome>) =>
  outcomes.map((outcome) =>
    outcome instanceof KvError ? outcome.reason : outcome.entry && new TextDecoder().decode(outcome.entry.value)
  )

/** What every layer of `Batcher` promises. Runs under `TestClock`. */
export const batcherContract = (name: string, layer: Layer.Layer<Batcher>): void => {
  const law = (title: string, body: Effect.Effect<void, unknown>) => it.effect(title, () => Effect.provide(body, layer))

  describe(`${name} keeps the contract of Batcher:`, () => {
    law(
      "reads answer in the order asked, repeated keys and absences included, however many ask at once",
      Effect.gen(function* () {
        const batcher = yield* Batcher
        const record = makeRecord()
        yield* record.writeMany([write(through, "a", "1"), write(through, "b", "2")], 0)
        const asked = [["a"], ["b", "a", "b"], ["none", "a"], []]
        const answers = yield* invoked(
          Effect.forEach(
            asked,
            (keys) =>
              batcher.read(
                keys.map((key) => addressOf(through, key)),
                record.readMany,
                keys.length === 1 ? "prefetch" : "demand"
              ),
            { concurrency: "unbounded" }
          )
        )
        assert.deepStrictEqual(answers.map(texts), [["1"], ["2", "1", "2"], [undefined, "1"], []])
      })
    )

    law(
      "a write through is stored when it is acknowledged; one that is refused says why; of two to one key the later stays",
      Effect.gen(function* () {
        const batcher = yield* Batcher
        const record = makeRecord((key) => (key === "bad" ? refusal("TooLarge") : undefined))
        const [first, second] = [write(through, "a", "1"), write(through, "a", "2")]
        const outcomes = yield* invoked(
          Effect.forEach(
            [first, write(through, "bad", "x"), second, write(through, "b", undefined)],
            (one) => Effect.map(batcher.write([one], record.writeMany), ([outcome]) => outcome!),
            { concurrency: "unbounded" }
          )
        )
        assert.deepStrictEqual(
          outcomes.map((outcome) => (outcome.error === undefined ? outcome.acknowledged : outcome.error.reason)),
          ["stored", "TooLarge", "stored", "stored"]
        )
        assert.strictEqual(record.held.get("through/a"), second.entry)
      })
    )

    law(
      "what is acknowledged as buffered is pending until a flush has stored it, and what is stored is not pending",
      Effect.gen(function* () {
        const batcher = yield* Batcher
        const record = makeRecord()
        for (const one of [write(behind, "a", "1"), write(behind, "b", undefined), write(behind, "a", "2")]) {
          const outcome = (yield* invoked(batcher.write([one], record.writeMany)))[0]!
          const stored = outcome.error === undefined && outcome.acknowledged === "stored"
          assert.strictEqual(batcher.pending(one.address), stored ? undefined : one)
        }
        yield* TestClock.adjust("2 seconds")
        yield* invoked(batcher.flush("all"))
        assert.strictEqual(batcher.pending(addressOf(behind, "a")), undefined)
        assert.deepStrictEqual([...record.held.keys()], ["behind/a"])
        assert.deepStrictEqual(texts(yield* record.readMany([addressOf(behind, "a")])), ["2"])
        assert.deepStrictEqual(yield* batcher.flush("all"), { flushed: 0, kept: 0 })
      })
    )
  })
}
