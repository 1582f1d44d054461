import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Listed } from "../../../services/store/Store.ts"

/** A page of a list as the store of record gave it. */
export interface ListPage {
  readonly keys: ReadonlyArray<Listed>
  readonly cursor: string | undefined
}

/** Own changes of one collection that are remembered; what is forgotten early ends the lists that were read before it. */
const mostChanges = 10_000

/**
 * Where a list goes on: behind a key, within the page that the store of record gives at `start`. So what is laid over one
 * page is in no other, and one that became too long by it goes on where it was cut.
 */
export const pageCursor = (after: string | undefined, start: string | undefined): string =>
  `/${cursorBehind(after ?? "")}/${start ?? ""}`

/** A cursor of objects: the key that the list goes on behind. */
export const cursorBehind = (key: string): string => encodeURIComponent(key)

export const keyBehind = (cursor: string): string | undefined => {
  try {
    return decodeURIComponent(cursor)
  } catch {
    return undefined
  }
}

/** Undefined for a cursor that the store of record made. */
export const startOf = (
  cursor: string
): { readonly after: string | undefined; readonly start: string | undefined } | undefined => {
  const [, after, start] = /^\/([^/]*)\/([\s\S]*)$/.exec(cursor) ?? []
  const key = after === undefined ? undefined : keyBehind(after)
  return key === undefined ? undefined : { after: key || undefined, start: start || undefined }
}

export const encodePage = ({ cursor, keys }: ListPage): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify([cursor ?? null, keys.map(({ expiresAt, key, tags }) => [key, finite(expiresAt), tags])])
  )

export const decodePage = (bytes: Uint8Array): ListPage | undefined => {
  try {
    const [cursor, keys] = JSON.parse(new TextDecoder().decode(bytes)) as [
      string | null,
      ReadonlyArray<readonly [string, number | null, ReadonlyArray<string>]>
    ]
    return {
      cursor: cursor ?? undefined,
      keys: keys.map(([key, expiresAt, tags]) => ({ key, expiresAt: expiresAt ?? Number.POSITIVE_INFINITY, tags }))
    }
  } catch {
    return undefined
  }
}

const finite = (expiresAt: number): number | null => (Number.isFinite(expiresAt) ? expiresAt : null)

interface Changes {
  readonly byKey: Map<string, { readonly listed: Listed | undefined; readonly at: number }>
  endedAt: number
}

/** What this isolate has changed of late, by collection and key. Moments in milliseconds since the epoch. */
export const makeOwnChanges = () => {
  const collections = new Map<string, Changes>()
  let allEndedAt = Number.NEGATIVE_INFINITY

  const changesOf = ({ name }: Collection): Changes => {
    const known = collections.get(name)
    if (known !== undefined) return known
    const made: Changes = { byKey: new Map(), endedAt: Number.NEGATIVE_INFINITY }
    collections.set(name, made)
    return made
  }

  return {
    /** @param keptFor milliseconds after which no list that is older can be an answer */
    note: (collection: Collection, key: string, listed: Listed | undefined, at: number, keptFor: number): void => {
      if (keptFor <= 0) return
      const changes = changesOf(collection)
      changes.byKey.delete(key)
      changes.byKey.set(key, { listed, at })
      for (const [oldest, change] of changes.byKey) {
        const isOver = at - change.at > keptFor
        if (!isOver && changes.byKey.size <= mostChanges) return
        changes.byKey.delete(oldest)
        if (!isOver) changes.endedAt = Math.max(changes.endedAt, change.at)
      }
    },
    /** Nothing is known of the key any more. */
    forget: (collection: Collection, key: string): void => {
      changesOf(collection).byKey.delete(key)
    },
    /** What was changed from a moment on: the last of each key, undefined where that removed it. */
    *since(collection: Collection, from: number): Iterable<readonly [key: string, listed: Listed | undefined]> {
      for (const [key, { at, listed }] of changesOf(collection).byKey) if (at >= from) yield [key, listed]
    },
    /** No list of the collection that was read until now is an answer any more. */
    end: (collection: Collection, now: number): void => {
      changesOf(collection).endedAt = now
    },
    /** The same where all of it was deleted. */
    clear: (collection: Collection, now: number): void => {
      collections.set(collection.name, { byKey: new Map(), endedAt: now })
    },
    /** The same of all collections, and of what carries one of the tags. */
    invalidate: (tags: ReadonlyArray<string>, now: number): void => {
      allEndedAt = now
      for (const { byKey } of collections.values()) {
        for (const [key, { listed }] of byKey) if (listed?.tags.some((tag) => tags.includes(tag))) byKey.delete(key)
      }
    },
    /** Until when lists that were read are no answers. */
    endedAt: (collection: Collection): number => Math.max(allEndedAt, changesOf(collection).endedAt)
  }
}
