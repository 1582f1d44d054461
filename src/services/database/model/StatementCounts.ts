export interface StatementCounts {
  readonly calls: number
  /** Calls that no database was asked for. */
  readonly cacheHits: number
  readonly rowsRead: number
  readonly rowsReturned: number
  readonly rowsWritten: number
  /** Rows that cache hits did not read. */
  readonly rowsSaved: number
  /** Milliseconds in the database, of the calls that reached it. */
  readonly millis: number
}

export const zeroCounts: StatementCounts = {
  calls: 0,
  cacheHits: 0,
  rowsRead: 0,
  rowsReturned: 0,
  rowsWritten: 0,
  rowsSaved: 0,
  millis: 0
}

export const plus = (a: StatementCounts, b: Partial<StatementCounts>): StatementCounts => ({
  calls: a.calls + (b.calls ?? 0),
  cacheHits: a.cacheHits + (b.cacheHits ?? 0),
  rowsRead: a.rowsRead + (b.rowsRead ?? 0),
  rowsReturned: a.rowsReturned + (b.rowsReturned ?? 0),
  rowsWritten: a.rowsWritten + (b.rowsWritten ?? 0),
  rowsSaved: a.rowsSaved + (b.rowsSaved ?? 0),
  millis: a.millis + (b.millis ?? 0)
})
