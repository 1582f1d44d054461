import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { pack } from "../../../src/layers/snapshots/internal/snapshotFrames.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { pageBytes, splitRows } from "../../../src/services/packing/model/Page.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { bytesOf } from "../../../src/services/store/model/EntryBytes.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { kvMode } from "../../support/worlds.ts"

const tags = Array.from({ length: 128 }, (_, at) => `${at}`.padStart(256, "t"))
const version = { wall: 1, counter: 0, writer: "w" }
const body = {
  value: new Uint8Array(50),
  contentType: "text/plain",
  tags,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
}
const count = 100
const keys = Array.from({ length: count }, (_, at) => `k${at}`)

describe("the tags of an entry, which may be a thousand times as large as its value, count", () => {
  it("as bytes, and no entry as none", () => {
    assert.isAtLeast(bytesOf(body), 128 * 256)
    assert.strictEqual(bytesOf({ ...body, tags: [] }), 50)
    assert.strictEqual(bytesOf(undefined), 0)
  })

  it("where a page of a packed collection is split", () => {
    const rows = keys.map((key) => ({ key, version, deletedAt: 0, body }))
    assert.isAtLeast(splitRows(rows, pageBytes).length, (count * 128 * 256) / pageBytes)
  })

  it.effect("where rows of a snapshot are compressed together", () =>
    Effect.gen(function* () {
      const rows = keys.map((key) => ({ id: `notes/${key}`, version, ahead: [], deletedAt: 0, body }))
      const frames = yield* pack({ rows, tags: new Map() }, 256 * 1024)
      assert.isAtLeast(frames.length, 10)
    })
  )

  it.effect("in the memory tier", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const before = (yield* MemoryTier).stats().bytes
      const notes = define("notes")
      for (const key of keys) yield* store.set(notes, key, body.value, { tags })
      assert.isAtLeast((yield* MemoryTier).stats().bytes - before, count * 128 * 256)
    }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, KvMemory.make()), memoryBytes: 50_000_000 })))
  )
})
