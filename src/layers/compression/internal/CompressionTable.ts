import type { CompressionCounts } from "../../../services/compression/Compression.ts"
import { isWorthKeeping } from "../../../services/compression/model/CompressionRules.ts"

/** Media types counted by name; all others together are `other`. */
const maxTypes = 100

/** Tries that a type of unknown compressibility gets before its measured benefit decides. */
const minTries = 8

/** One value in so many of an unpromising type is tried again: what is stored under a type changes. */
const retryEvery = 32

interface Row {
  values: number
  kept: number
  skipped: number
  bytesIn: number
  bytesOut: number
  millis: number
  triedIn: number
  triedOut: number
}

/** What compression gained, by media type, and whether another try of that type is likely to. */
export class CompressionTable {
  private readonly rows = new Map<string, Row>()

  tried(mediaType: string, before: number, after: number, kept: boolean, millis: number): void {
    const row = this.row(mediaType)
    row.values += 1
    row.bytesIn += before
    row.bytesOut += kept ? after : before
    row.triedIn += before
    row.triedOut += after
    row.millis += millis
    if (kept) row.kept += 1
  }

  skipped(mediaType: string, bytes: number): void {
    const row = this.row(mediaType)
    row.values += 1
    row.skipped += 1
    row.bytesIn += bytes
    row.bytesOut += bytes
  }

  isPromising(mediaType: string): boolean {
    const row = this.rows.get(mediaType)
    if (row === undefined || row.values - row.skipped < minTries) return true
    return isWorthKeeping(row.triedIn, row.triedOut) || row.values % retryEvery === 0
  }

  readonly counts = (): ReadonlyMap<string, CompressionCounts> =>
    new Map([...this.rows].map(([type, { triedIn: _in, triedOut: _out, ...counts }]) => [type, counts]))

  private row(mediaType: string): Row {
    const name = this.rows.has(mediaType) || this.rows.size < maxTypes ? mediaType : "other"
    let row = this.rows.get(name)
    if (row === undefined) {
      row = { values: 0, kept: 0, skipped: 0, bytesIn: 0, bytesOut: 0, millis: 0, triedIn: 0, triedOut: 0 }
      this.rows.set(name, row)
    }
    return row
  }
}
