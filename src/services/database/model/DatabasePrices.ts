import { prices } from "../../ledger/model/Prices.ts"

const [usdOfRowRead] = prices.d1RowsRead
const [usdOfRowWritten] = prices.d1RowsWritten

/** At list price. */
export const usdOf = ({ rowsRead, rowsWritten }: { readonly rowsRead: number; readonly rowsWritten: number }): number =>
  rowsRead * usdOfRowRead + rowsWritten * usdOfRowWritten

/** Rows of D1 that cost what one request to an object costs: a strict answer of fewer is not worth keeping. */
export const rowsOfRequest = prices.durableObjectRequests[0] / usdOfRowRead

/** Rows of D1 that cost what one KV read costs: isolate memory weighs by KV reads. */
export const rowsOfKvRead = prices.kvReads[0] / usdOfRowRead
