import type { Shard, ShardWrite } from "../../../src/services/durable/Shard.ts"
import { cleaned, imageIn } from "../snapshots/wholeImages.ts"

type ShardService = Shard["Type"]

const now = 1_700_000_000_000

const write = (id: string, counter: number, text: string, tags: ReadonlyArray<string> = []): ShardWrite => ({
  id,
  stamp: { wall: now + 60_000, counter, writer: "ahead" },
  firstUntil: now,
  body: {
    value: new TextEncoder().encode(text),
    contentType: "text/plain; charset=utf-8",
    tags,
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 1.5
  }
})

/** Everything that a shard has to remember, of each kind one. */
export const keep = (shard: ShardService): unknown => {
  shard.apply([write("a/large", 0, "ü".repeat(2_000_000)), write("a/tagged", 1, "1", ["t", "é"])], now)
  shard.apply([write("a/deleted", 2, "1"), { ...write("a/deleted", 3, ""), body: undefined }], now)
  shard.getMany(["a/large", "a/none"], now)
  cleaned(shard)
  shard.invalidateTags(["é"], { wall: now, counter: 0, writer: "w" }, now)
  shard.apply([write("a/later", 4, "2", ["é"])], now)
  return recall(shard)
}

/** What is remembered, without reading through `getMany`, which would count. */
export const recall = (shard: ShardService): unknown => {
  const image = imageIn(shard)
  const { bytes, entries, hits, reads, tombstones } = shard.stats()
  return {
    rows: image.rows.map(({ body, ...row }) => ({
      ...row,
      body: body && { ...body, expiresAt: String(body.expiresAt), value: new TextDecoder().decode(body.value) }
    })),
    tags: [...image.tags],
    living: shard.list("", undefined, 10, now).map(({ id }) => id),
    dirty: shard.dirty(),
    stats: { bytes, entries, hits, reads, tombstones }
  }
}
