import * as Selection from "./Selection.ts"
import type { StoredResponse } from "./StoredResponse.ts"

/** The variants kept of one resource. */
export interface Shelf {
  readonly variants: ReadonlyArray<StoredResponse>
  /** When the resource was dropped last, in milliseconds since the epoch; `never` if it was not. What was asked before is void. */
  readonly droppedAt: number
}

export const never = -1

export const empty: Shelf = { variants: [], droppedAt: never }

const living = (variants: ReadonlyArray<StoredResponse>, droppedAt: number): ReadonlyArray<StoredResponse> =>
  droppedAt === never ? variants : variants.filter(({ requestTime }) => requestTime > droppedAt)

/** A 206 and a whole response of one variant stand side by side, until the whole one is the newer. */
const replaces = (next: StoredResponse, old: StoredResponse): boolean =>
  Selection.sameVariant(next, old) && (next.part === undefined || old.part !== undefined)

/** The shelf with one more variant in place of what it replaces; beyond `most` the oldest go. */
export const withVariant = (shelf: Shelf, stored: StoredResponse, most: number): Shelf => {
  if (stored.requestTime <= shelf.droppedAt) return shelf
  const others = shelf.variants.filter((old) => !replaces(stored, old))
  return { ...shelf, variants: [stored, ...others].slice(0, most) }
}

export const dropped = (shelf: Shelf, at: number): Shelf => ({
  variants: [],
  droppedAt: Math.max(at, shelf.droppedAt)
})

/** What two tiers know together; of one variant the later response counts. */
export const merged = (a: Shelf, b: Shelf, most: number): Shelf => {
  const droppedAt = Math.max(a.droppedAt, b.droppedAt)
  const all = [...living(a.variants, droppedAt), ...living(b.variants, droppedAt)]
  // Each shelf has its newest first; the newest of all is to come last here.
  all.reverse().sort((x, y) => x.responseTime - y.responseTime)
  return all.reduce((shelf, stored) => withVariant(shelf, stored, most), { variants: [], droppedAt } as Shelf)
}

/** Characters of its text, about: what it counts for in memory. */
export const bytesOf = ({ variants }: Shelf): number =>
  variants.reduce(
    (sum, { headers, url }) =>
      sum + 400 + 2 * url.length + headers.reduce((all, [name, value]) => all + 2 * (name.length + value.length), 0),
    100
  )
