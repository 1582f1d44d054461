import { describe, expect, it } from "@effect/vitest"
import { makeMarks } from "../../../../../src/layers/durable/internal/shard/shardMarks.ts"
import type { ShardRows } from "../../../../../src/layers/durable/internal/shard/shardRows.ts"
import type { Stamp } from "../../../../../src/services/store/model/Entry.ts"

const markOf = (number: number): Stamp => ({ wall: number + 1, counter: 0, writer: "s" })

const numberOf = (tag: string): number => Number(tag.slice(1))

/** Storage that has a mark of every tag up to a number, none of them in this process's memory, and counts what is read. */
const storage = () => {
  const counted = { read: 0, written: 0 }
  const rows = {
    mark: (tag: string) => {
      counted.read += 1
      return numberOf(tag) < counted.written ? markOf(numberOf(tag)) : undefined
    },
    writeMark: () => {
      counted.written += 1
    }
  } as unknown as ShardRows
  return { counted, marks: makeMarks(rows) }
}

describe("the marks of 600,000 tags", () => {
  const tags = 600_000
  const held = 10_000

  it("stay in memory 10,000 at a time; every other one is read from storage, and none is forgotten", () => {
    const { counted, marks } = storage()
    for (let number = 0; number < tags; number++) marks.write(`t${number}`, markOf(number), 0)
    for (let number = tags - held; number < tags; number++) expect(marks.of(`t${number}`)).toEqual(markOf(number))
    expect(counted.read).toBe(0)
    for (let number = 0; number < tags; number += 1000) expect(marks.of(`t${number}`)).toEqual(markOf(number))
    const beyond = (tags - held) / 1000
    expect(counted.read).toBeGreaterThanOrEqual(beyond)
    expect(counted.read).toBeLessThanOrEqual(tags / 1000)
  })

  it("are no more in memory for having been asked for, nor for having no mark", () => {
    const { counted, marks } = storage()
    for (let times = 1; times <= 2; times++) {
      for (let number = 0; number < tags; number += 10) marks.of(`t${number}`)
      expect(counted.read).toBe((times * tags) / 10)
    }
  })
})
