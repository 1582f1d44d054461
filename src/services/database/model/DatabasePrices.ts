/** US dollars per million rows of D1 beyond the included amounts. Source: d1/platform/pricing of 2026-04-21. */
export const rowPrices = { read: 0.001, written: 1 } as const

export const usdOf = ({ rowsRead, rowsWritten }: { readonly rowsRead: number; readonly rowsWritten: number }): number =>
  (rowsRead * rowPrices.read + rowsWritten * rowPrices.written) / 1_000_000
