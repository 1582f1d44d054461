import { readdirSync, readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"

const t0 = 1_700_000_000_000
const stored = new URL("../../fixtures/snapshots/", import.meta.url)

const found = (text: Uint8Array | undefined) => text && new TextDecoder().decode(text)

it.effect.each(readdirSync(stored).filter((file) => file.endsWith(".json")))(
  "a snapshot that was stored as %s is read",
  (file) =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      const values = JSON.parse(readFileSync(new URL(file, stored), "utf8")) as Record<string, string>
      for (const [key, value] of Object.entries(values))
        yield* kv.put(key, new Uint8Array(Buffer.from(value, "base64")))
      const shard = ShardMemory.make()
      const snapshots = SnapshotsKv.make(kv)
      expect(yield* snapshots.load("shard-0", (part) => Effect.sync(() => shard.merge(part, t0 + 5)))).toBe(true)
      const opened = (yield* snapshots.open("shard-0"))!
      for (let i = 0; i < 20; i++) {
        const expected = i === 3 || i === 4 ? undefined : `value ${i} `.repeat(i + 1)
        expect(found(shard.getMany([`default/${i}`], t0 + 5)[0]?.value)).toBe(expected)
        if (i !== 3) expect(found((yield* opened.find(`default/${i}`))?.body?.value)).toBe(expected)
      }
      expect([...(yield* snapshots.marks("shard-0")).keys()]).toEqual(["t"])
      expect(shard.stats()).toMatchObject({ tombstones: 1 })

      // The next one is saved beside it, and is the newest.
      yield* snapshots.save("shard-0", shard.source, t0 + 6)
      const next = ShardMemory.make()
      yield* SnapshotsKv.make(kv).load("shard-0", (part) => Effect.sync(() => next.merge(part, t0 + 7)))
      expect(found(next.getMany(["default/7"], t0 + 7)[0]?.value)).toBe("value 7 ".repeat(8))
      for (const [key, value] of Object.entries(values)) {
        if (key === "~~snap/shard-0" && file.startsWith("manifest")) {
          const kept = yield* kv.get(key)
          expect(kept._tag === "Some" && Buffer.from(kept.value.value).toString("base64")).toBe(value)
        }
      }
    })
)
