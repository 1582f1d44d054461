import { noCounts } from "../../ledger/Ledger.ts"
import type { Bill } from "../../ledger/model/MigrationBill.ts"
import type { ReshardState } from "../Resharding.ts"
import type { Topology } from "./Topology.ts"

/** What one step takes at most: rows looked at, and bytes of values. */
export const pageRows = 500
export const pageBytes = 4 * 1024 * 1024

/** Rows that one step drops at most. */
export const dropRows = 2000

/** Steps of an object beside those that move and drop rows. */
const otherSteps = 8

/**
 * What giving all keys to so many new objects will bill at most. A row is read twice and written once there, and read
 * and written once more to be dropped here. Every object, new or old, saves itself once, and the old ones before, too.
 */
export const expectedOf = (states: ReadonlyArray<ReshardState>, to: Topology): Bill => {
  let [rows, requests] = [0, 0]
  for (const { stats } of states) {
    const own = stats.entries + stats.tombstones
    const pages = Math.ceil(own / pageRows) + Math.floor(stats.bytes / pageBytes)
    rows += own
    requests += (1 + to.shards) * pages + Math.ceil(own / dropRows) + otherSteps + 3 * to.shards
  }
  return {
    kv: { ...noCounts, reads: to.shards + states.length, writes: 2 * states.length + to.shards + 2 },
    durableObject: { requests, rowsRead: 5 * rows, rowsWritten: 2 * rows + otherSteps * (states.length + to.shards) }
  }
}
