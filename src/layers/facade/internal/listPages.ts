import type * as Effect from "effect/Effect"
import type { ListArguments } from "../../../services/facade/model/KvArguments.ts"
import { type ListedKey, type ListPage, livingPage, makeOwnWrites } from "../../../services/facade/model/OwnWrites.ts"
import type { Kv } from "../../../services/kv/Kv.ts"

/** Names in all pages that are kept, with up to 1 KB of metadata each. */
const maxKeptKeys = 5_000
const rememberedWrites = 2_000
const rememberedCursors = 1_000

interface Kept {
  readonly page: ListPage
  /** Milliseconds since the epoch. */
  readonly readAt: number
}

/** Lists of one namespace: first pages are kept, and own writes laid over every page. */
export const makeListPages = () => {
  const own = makeOwnWrites(rememberedWrites)
  const pages = new Map<string, Kept>()
  /** By cursor, the last name of the page that gave it. */
  const lastNames = new Map<string, string>()
  let keptKeys = 0

  const drop = (id: string): void => {
    keptKeys -= pages.get(id)?.page.keys.length ?? 0
    pages.delete(id)
  }

  const idOf = ({ limit, prefix }: ListArguments): string => `${limit}:${prefix}`

  const laid = ({ cursor, limit, prefix }: ListArguments, { page, readAt }: Kept, now: number) => {
    const from = cursor === undefined ? undefined : lastNames.get(cursor)
    const unknown = cursor !== undefined && from === undefined
    const shown = unknown ? { page, fits: true } : own.over(page, { prefix, limit, from }, readAt, now)
    return { ...shown, page: livingPage(shown.page, now) }
  }

  return {
    note: (name: string, listed: ListedKey | undefined, at: number): void => own.note(name, listed, at),

    /** Forgets every page, and what was written to a key: its last write's outcome is not known. */
    forget: (name: string): void => {
      own.forget(name)
      pages.clear()
      keptKeys = 0
    },

    /** A kept page that is young enough, with own writes in it. */
    kept: (asked: ListArguments, ttlMillis: number, now: number): ListPage | undefined => {
      const found = asked.cursor === undefined ? pages.get(idOf(asked)) : undefined
      if (found === undefined || now - found.readAt >= ttlMillis || !own.covers(found.readAt)) return undefined
      const { fits, page } = laid(asked, found, now)
      return fits ? page : undefined
    },

    keep: (asked: ListArguments, page: ListPage, readAt: number, now: number): ListPage => {
      const last = page.keys.at(-1)?.name
      if (page.cursor !== undefined && last !== undefined) lastNames.set(page.cursor, last)
      if (lastNames.size > rememberedCursors) lastNames.delete(lastNames.keys().next().value!)
      if (asked.cursor === undefined) {
        const id = idOf(asked)
        drop(id)
        pages.set(id, { page, readAt })
        keptKeys += page.keys.length
        for (const oldest of pages.keys()) {
          if (keptKeys <= maxKeptKeys) break
          drop(oldest)
        }
      }
      return laid(asked, { page, readAt }, now).page
    }
  }
}

type KvListPage = Effect.Effect.Success<ReturnType<Kv["Type"]["list"]>>

/** As KV gave it. */
export const pageOf = ({ cursor, keys }: KvListPage): ListPage => ({
  keys: keys.map(({ expiration, metadata, name }) => ({
    name,
    ...(expiration === undefined ? {} : { expiration }),
    ...(metadata === null ? {} : { metadata })
  })),
  complete: cursor === undefined,
  cursor
})

/** As the platform answers a list. */
export const listResult = ({ complete, cursor, keys }: ListPage) => ({
  keys: keys.map((key) => structuredClone(key)),
  list_complete: complete,
  ...(cursor === undefined ? {} : { cursor }),
  cacheStatus: null
})
