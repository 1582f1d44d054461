import type { Part } from "./StoredResponse.ts"

const bytes = /^bytes (\d+)-(\d+)\/(\d+)$/i

/** A part whose whole is known; undefined for anything else, also for one that contradicts itself. */
export const parse = (field: string | null): Part | undefined => {
  const match = bytes.exec(field?.trim() ?? "")
  if (match === null) return undefined
  const part = { first: Number(match[1]), last: Number(match[2]), size: Number(match[3]) }
  return part.first <= part.last && part.last < part.size ? part : undefined
}

export const format = ({ first, last, size }: Part): string => `bytes ${first}-${last}/${size}`
