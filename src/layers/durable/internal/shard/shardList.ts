import type { Listed } from "../../../../services/durable/model/ShardListing.ts"
import type { Shard } from "../../../../services/durable/Shard.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

/** Rows that one list looks at: for each that it may give, and beside those. What is dead is not looked for further. */
const looksPerListed = 20
const looksPerList = 1000

const pageRows = 1000

/** Of dead rows it looks at as many at a time as it has seen, so that few of them cost few rows more. */
export const makeList =
  (rows: Pick<ShardRows, "page">, isLiving: (row: RowHead, now: number) => boolean): Shard["Type"]["list"] =>
  (prefix, after, limit, now) => {
    const found: Array<Listed> = []
    const most = looksPerListed * limit + looksPerList
    let [last, looked] = [after, 0]
    while (found.length < limit) {
      if (looked >= most) return [...found, { id: last!, expiresAt: 0, tags: [], more: true }]
      const asked = Math.min(Math.max(limit - found.length, Math.min(looked - found.length, pageRows)), most - looked)
      const page = rows.page(prefix, last, asked)
      for (const row of page) {
        if (found.length === limit) break
        if (isLiving(row, now)) found.push({ id: row.id, expiresAt: row.body!.expiresAt, tags: row.body!.tags })
      }
      if (page.length < asked) break
      last = page.at(-1)!.id
      looked += page.length
    }
    return found
  }
