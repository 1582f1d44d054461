import { expect, it } from "@effect/vitest"
import { makeWantedFills } from "../../../../src/layers/durable/internal/wantedFills.ts"
import type { ShardWrite } from "../../../../src/services/durable/Shard.ts"

const life = 60_000

const fill = (id: string, now: number): ShardWrite => ({
  id,
  stamp: { wall: now, counter: 0, writer: "w" },
  lease: 1,
  ifWanted: true,
  body: { value: new Uint8Array(1), contentType: "", tags: [], expiresAt: now + life, loadMillis: 1 }
})

it("a fill is wanted where somebody waits for it, or its id was filled before within its life", () => {
  const awaited = new Set(["c/awaited"])
  const wantedFills = makeWantedFills((id) => awaited.has(id))
  const isWanted = (id: string, now: number) => wantedFills([fill(id, now)], now)[0]!.ifWanted === undefined
  expect([isWanted("c/a", 0), isWanted("c/b", 0), isWanted("c/awaited", 0)]).toStrictEqual([false, false, true])
  expect([isWanted("c/a", life - 1), isWanted("c/b", life), isWanted("c/b", life)]).toStrictEqual([true, false, true])
})

it("a write that is no such fill stays as it is", () => {
  const { ifWanted: _, ...write } = fill("c/a", 0)
  expect(makeWantedFills(() => false)([write], 0)).toStrictEqual([write])
})
