import { describe, expect, it } from "@effect/vitest"
import * as WriteHistory from "../../../src/services/replay/model/WriteHistory.ts"

const written = (history: ReturnType<typeof WriteHistory.make>, entry: number, as: WriteHistory.Outcome = "stored") => {
  const write = history.issue(entry, false)
  history.acknowledge(write, as, 0)
  return write
}

describe("WriteHistory", () => {
  it("calls a read stale that saw less than the latest write acknowledged when it began", () => {
    const history = WriteHistory.make(2, 10)
    expect(history.isStale(0, history.latest(0))).toBe(false)
    const first = written(history, 0)
    const second = written(history, 0)
    expect(history.isStale(0, history.latest(0))).toBe(true)
    expect(history.isStale(first, history.latest(0))).toBe(true)
    expect(history.isStale(second, history.latest(0))).toBe(false)
    expect(history.isStale(0, history.latest(1))).toBe(false)
  })

  it("lets a read see more than was acknowledged when it began", () => {
    const history = WriteHistory.make(1, 10)
    written(history, 0)
    const before = history.latest(0)
    const after = written(history, 0)
    const underWay = history.issue(0, false)
    expect(history.isStale(after, before)).toBe(false)
    expect(history.isStale(underWay, history.latest(0))).toBe(false)
  })

  it("takes either order of writes that overlapped", () => {
    const history = WriteHistory.make(1, 10)
    const a = history.issue(0, false)
    const b = history.issue(0, false)
    history.acknowledge(b, "stored", 0)
    history.acknowledge(a, "stored", 0)
    expect(history.isStale(a, history.latest(0))).toBe(false)
    expect(history.isStale(b, history.latest(0))).toBe(false)
    expect(history.lost(() => a)).toEqual({ stored: 0, buffered: 0 })
    expect(history.lost(() => b)).toEqual({ stored: 0, buffered: 0 })
  })

  it("takes an absence for the last delete, and for staleness where none came after the write", () => {
    const history = WriteHistory.make(1, 10)
    const removed = history.issue(0, true)
    history.acknowledge(removed, "stored", 0)
    expect(history.isStale(history.absence(0, 0), history.latest(0))).toBe(false)
    written(history, 0)
    expect(history.isStale(history.absence(0, 0), history.latest(0))).toBe(true)
  })

  it("takes an absence for what was promised once the latest write has expired, and not before", () => {
    const history = WriteHistory.make(1, 10)
    const write = history.issue(0, false)
    history.acknowledge(write, "stored", 0, 1000)
    expect(history.isStale(history.absence(0, 999), history.latest(0))).toBe(true)
    expect(history.isStale(history.absence(0, 1000), history.latest(0))).toBe(false)
    expect(history.lost(() => history.absence(0, 999)).stored).toBe(1)
    expect(history.lost(() => history.absence(0, 1000)).stored).toBe(0)
    expect(history.isStale(0, history.latest(0))).toBe(true)
  })

  it("counts as lost each acknowledged write that ended after the one visible at the end had, by its promise", () => {
    const history = WriteHistory.make(2, 10)
    const kept = written(history, 0)
    written(history, 0)
    written(history, 0, "buffered")
    written(history, 1, "buffered")
    history.issue(1, false)
    expect(history.lost((entry) => (entry === 0 ? kept : 0))).toEqual({ stored: 1, buffered: 2 })
  })

  it("loses no write that a later one replaced, nor one that failed", () => {
    const history = WriteHistory.make(1, 10)
    written(history, 0)
    const last = written(history, 0)
    history.issue(0, false)
    expect(history.lost(() => last)).toEqual({ stored: 0, buffered: 0 })
  })
})
