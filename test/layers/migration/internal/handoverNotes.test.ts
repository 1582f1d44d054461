import { expect, it } from "@effect/vitest"
import { forgetting, noteOf, remembered, remembering } from "../../../../src/layers/migration/internal/handoverNotes.ts"

const version = { wall: 5, counter: 1, writer: "w" }
const [stamp, head] = [
  { wall: 7, counter: 0, writer: "~" },
  { id: "a/1", version, expiresAt: 9000 }
]

const noteIn = (value: Uint8Array) => ({ ...remembering("kv", 7)(head).body!, value, stamp })

it("the note of a hand-over says what it was given", () => {
  const { body, id } = remembering("kv", 7)(head)
  expect(id).toBe(noteOf("a/1"))
  expect(remembered({ ...body!, stamp })).toStrictEqual({ to: "kv", version, at: 7 })
  expect(remembered(noteIn(new TextEncoder().encode('["kv",5,1,"w"]')))).toStrictEqual({ to: "kv", version, at: 7 })
})

it.each([
  "",
  "garbage",
  "[]",
  '["elsewhere",5,1,"w"]',
  '["kv","5",1,"w"]',
  "null"
])("one that cannot be read, %j, says nothing", (text) => {
  expect(remembered(noteIn(new TextEncoder().encode(text)))).toBeUndefined()
})

it("notes of one millisecond that say different things have different stamps", () => {
  const stampOf = (to: "kv" | "durable", counter: number) =>
    remembering(to, 7)({ ...head, version: { ...version, counter } }).stamp.writer
  const writers = [stampOf("kv", 1), stampOf("durable", 1), stampOf("kv", 2), forgetting(7)("a/1").stamp.writer]
  expect(new Set(writers).size).toBe(writers.length)
  expect(stampOf("kv", 1)).toBe(stampOf("kv", 1))
})
