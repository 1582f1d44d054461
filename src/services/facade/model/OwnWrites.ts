import { compareUtf8 } from "../../kv/model/KvPaging.ts"

/** One key of a list as the platform gives it: `expiration` in seconds since the epoch. */
export interface ListedKey {
  readonly name: string
  readonly expiration?: number
  readonly metadata?: unknown
}

export interface ListPage {
  readonly keys: ReadonlyArray<ListedKey>
  readonly complete: boolean
  readonly cursor: string | undefined
}

interface OwnWrite {
  /** Undefined after a delete. */
  readonly listed: ListedKey | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Milliseconds for which a list may lack a write of any isolate: KV's own bound is "60 seconds or more". */
export const listLagMillis = 60_000

/**
 * The keys that one isolate has written or deleted lately, laid over lists that do not know of it yet: lists of KV lag
 * behind writes, and a kept page is as old as it is.
 *
 * @param capacity writes that are remembered; what is forgotten makes older pages unfit to serve
 */
export const makeOwnWrites = (capacity: number) => {
  const writes = new Map<string, OwnWrite>()
  let forgottenAt = Number.NEGATIVE_INFINITY

  const note = (name: string, listed: ListedKey | undefined, at: number): void => {
    writes.delete(name)
    writes.set(name, { listed, at })
    while (writes.size > capacity) {
      const [oldest, { at: then }] = writes.entries().next().value!
      writes.delete(oldest)
      forgottenAt = Math.max(forgottenAt, then)
    }
  }

  return {
    note,

    /** What became of a key is not known here any more. */
    forget: (name: string): void => void writes.delete(name),

    /** Whether everything written here that a page read at this moment may lack is still known. */
    covers: (readAt: number): boolean => readAt - listLagMillis > forgottenAt,

    /**
     * A page with own writes in it. A truncated page takes in only names up to its last, and no page more than its limit:
     * what does not fit is what KV's own lists may lack, and `fits` is false. It is also false where the page may lack a
     * write that is too old to be laid over it any more: by now a new list has it, or what others made of it since.
     *
     * @param from the last name of the page before; names up to it are not this page's
     */
    over: (
      page: ListPage,
      { from, limit, prefix }: { readonly prefix: string; readonly limit: number; readonly from?: string | undefined },
      readAt: number,
      now: number
    ): { readonly page: ListPage; readonly fits: boolean } => {
      const last = page.keys.at(-1)?.name
      const changes = new Map<string, ListedKey | undefined>()
      let lacksOlder = false
      for (const [name, { at, listed }] of writes) {
        if (at <= readAt - listLagMillis || !name.startsWith(prefix)) continue
        if (from !== undefined && compareUtf8(name, from) <= 0) continue
        if (!page.complete && (last === undefined || compareUtf8(name, last) > 0)) continue
        if (at > now - listLagMillis) changes.set(name, listed)
        else lacksOlder = true
      }
      if (changes.size === 0) return { page, fits: !lacksOlder }
      const kept = page.keys.flatMap((key) => {
        if (!changes.has(key.name)) return [key]
        const listed = changes.get(key.name)
        changes.delete(key.name)
        return listed === undefined ? [] : [listed]
      })
      const added = [...changes.values()].filter((listed) => listed !== undefined)
      const fits = !lacksOlder && kept.length + added.length <= limit
      const keys = [...kept, ...added.slice(0, limit - kept.length)].sort((a, b) => compareUtf8(a.name, b.name))
      return { page: { ...page, keys }, fits }
    }
  }
}

/** A kept page without the keys that have expired since. */
export const livingPage = (page: ListPage, now: number): ListPage => ({
  ...page,
  keys: page.keys.filter(({ expiration }) => expiration === undefined || expiration * 1000 > now)
})
