import { CliError } from "./CliError.ts"

interface Ledger {
  readonly total: {
    readonly kv: { readonly [kind: string]: number }
    readonly logical?: { readonly [kind: string]: number }
    readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  }
  readonly usd: { readonly spent: number; readonly withoutLarder: number; readonly saved: number }
}

/** The ledger of a deployed Larder, in a few lines. */
export const inspect = async (url: string, apiKey: string): Promise<ReadonlyArray<string>> => {
  if (!/^https?:\/\/[^/]/.test(url)) throw new CliError(`${url} is no URL: name the address of a deployed Larder`)
  let response: Response
  try {
    response = await fetch(new URL("/api/v1/ledger", url), { headers: { "X-API-KEY": apiKey } })
  } catch (cause) {
    throw new CliError(`${url} cannot be reached: ${cause instanceof Error ? cause.message : cause}`)
  }
  if (response.status === 401 || response.status === 403) {
    throw new CliError(`${url} takes no such key: set LARDER_API_KEY, or name --key`)
  }
  if (!response.ok) throw new CliError(`${url} answered ${response.status}: is it a Larder?`)
  const { total, usd } = (await response.json()) as Ledger
  const counts = Object.entries(total.kv).map(([kind, count]) => `${kind} ${count}`)
  const { requests, rowsRead, rowsWritten } = total.durableObject
  return [
    `KV billed   ${counts.join(", ")}`,
    `objects     requests ${requests}, rows read ${rowsRead}, rows written ${rowsWritten}`,
    `dollars     spent ${usd.spent.toFixed(6)}, without Larder ${usd.withoutLarder.toFixed(6)}, saved ${usd.saved.toFixed(6)}`
  ]
}
