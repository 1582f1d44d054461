import type { Tables } from "../../../services/database/model/Bytecode.ts"

/**
 * Which of an isolate's tables were written when, in the order of this isolate's own events. An answer counts while no
 * table that it comes from was written after its query began.
 */
export interface TableWrites {
  /** What a query that begins now is remembered by. */
  readonly now: () => number
  readonly wrote: (tables: Tables) => void
  readonly isCurrent: (tables: Tables, since: number) => boolean
}

export const makeTableWrites = (): TableWrites => {
  let sequence = 0
  let all = 0
  const last = new Map<string, number>()
  return {
    now: () => sequence,
    wrote: (tables) => {
      if (tables !== "all" && tables.size === 0) return
      sequence += 1
      if (tables === "all") all = sequence
      else for (const table of tables) last.set(table, sequence)
    },
    isCurrent: (tables, since) => {
      if (all > since) return false
      if (tables === "all") return sequence <= since
      for (const table of tables) if ((last.get(table) ?? 0) > since) return false
      return true
    }
  }
}
