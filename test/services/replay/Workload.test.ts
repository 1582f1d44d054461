import { describe, expect, it } from "@effect/vitest"
import {
  countsOf,
  coverableOf,
  forEachOperation,
  type Workload,
  type WorkloadRequest
} from "../../../src/services/replay/Workload.ts"
import { define } from "../../../src/services/store/model/Collection.ts"

const workload = (...requests: ReadonlyArray<WorkloadRequest>): Workload["Type"] => ({
  name: "w",
  length: requests.length,
  request: (index) => requests[index]!,
  entries: ["a", "b", "c"].map((key) => ({ collection: define("default"), key, size: 1, initial: true }))
})

const request = (kind: "read" | "write" | "delete", entry: number, session?: number): WorkloadRequest => ({
  kind,
  at: 0,
  entry,
  size: 1,
  session
})

const sweep: WorkloadRequest = { kind: "sweep", at: 0, states: [0, 1], failures: [2] }

describe("Workload", () => {
  it("lets a sweep read all states before it writes one", () => {
    const visited: Array<string> = []
    forEachOperation(workload(request("delete", 2), sweep), (operation, entry) => visited.push(`${operation} ${entry}`))
    expect(visited).toEqual(["delete 2", "read 0", "read 1", "write 0", "write 1", "throttle 2"])
  })

  it("reads and writes together what a request names", () => {
    const together: ReadonlyArray<WorkloadRequest> = [
      { kind: "readMany", at: 0, entries: [0, 2], asked: ["a", "C"], session: 1 },
      { kind: "writeMany", at: 0, entries: [1, 2] }
    ]
    expect(countsOf(workload(...together))).toEqual({ requests: 2, reads: 2, writes: 2, deletes: 0 })
    expect(coverableOf(workload(together[0]!, together[0]!))).toBe(0)
    expect(coverableOf(workload(together[1]!, together[0]!))).toBe(2)
  })

  it("counts a throttled failure as a read and a write", () => {
    const counts = countsOf(workload(request("read", 0), request("write", 1), request("delete", 2), sweep))
    expect(counts).toEqual({ requests: 4, reads: 4, writes: 4, deletes: 1 })
  })

  it("takes for predictable what a session reads for the first time in the second half", () => {
    const read = (entry: number, session?: number) => request("read", entry, session)
    expect(
      coverableOf(workload(read(0, 1), read(1, 1), read(0, 1), read(0, 2), read(2, 1), request("write", 1, 2)))
    ).toBe(2)
    expect(coverableOf(workload(read(0), read(1), read(0), read(2)))).toBe(1)
  })
})
