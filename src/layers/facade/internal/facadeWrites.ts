import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { BackgroundService } from "../../../services/base/Background.ts"
import type { PutArguments } from "../../../services/facade/model/KvArguments.ts"
import { type Kv, limits } from "../../../services/kv/Kv.ts"
import type { Entry, Stamp } from "../../../services/store/model/Entry.ts"
import type { Address, ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { makeListPages } from "./listPages.ts"
import { makeWriteBuffer } from "./writeBuffer.ts"
import { makeWriteQueue } from "./writeQueue.ts"

/** What a key is to be; undefined for a delete. */
export interface FacadeWrite {
  readonly address: Address
  readonly entry: Entry | undefined
  /** Whether it was acknowledged before KV took it. */
  readonly buffered: boolean
  readonly background: BackgroundService
}

/** A buffered write with less to live than this goes straight to KV, which takes none with under 60 s left. */
const leastBufferedMillis = 90_000

export const entryOfPut = ({ bytes, expiresAt, metadata }: PutArguments, stamp: Stamp): Entry => ({
  value: bytes,
  contentType: "",
  tags: [],
  stamp,
  expiresAt,
  loadMillis: 0,
  ...(metadata === null ? {} : { metadata })
})

/**
 * Writes of one namespace: one at a time to a key, the last of those that wait; behind, where that was asked for.
 *
 * @param run an effect within the event that it belongs to; rejects with the platform's error
 * @param patience how long a caller waits for another event's write
 * @param attempts how often a write is tried that KV takes no more than one a second of
 */
export const makeFacadeWrites = (
  kv: Kv["Type"],
  readPath: ReadPath["Type"],
  pages: ReturnType<typeof makeListPages>,
  run: <A, E>(effect: Effect.Effect<A, E>, background: BackgroundService) => Promise<A>,
  patience: Duration.Duration,
  sleep: (millis: number) => Promise<void>,
  attempts: number
) => {
  const buffer = makeWriteBuffer<FacadeWrite>()

  const asked = ({ address: { key }, buffered, entry }: FacadeWrite, now: number): Effect.Effect<void, unknown> => {
    if (entry === undefined) return kv.delete(key)
    const metadata = entry.metadata === undefined ? {} : { metadata: entry.metadata }
    if (entry.expiresAt === Number.POSITIVE_INFINITY) return kv.put(key, entry.value, metadata)
    const left = Math.ceil((entry.expiresAt - now) / 1000)
    if (buffered && left < limits.minExpirationTtl) return kv.delete(key)
    return kv.put(key, entry.value, { ...metadata, expirationTtl: Math.max(limits.minExpirationTtl, left) })
  }

  const note = ({ address, entry }: FacadeWrite, now: number): void => {
    const { expiresAt, metadata } = entry ?? { expiresAt: 0, metadata: undefined }
    const listed = {
      name: address.key,
      ...(expiresAt === Number.POSITIVE_INFINITY ? {} : { expiration: expiresAt / 1000 }),
      ...(metadata === undefined ? {} : { metadata })
    }
    pages.note(address.key, entry && listed, now)
  }

  const perform = async (_key: string, write: FacadeWrite): Promise<void> => {
    const { address, background, entry } = write
    try {
      await run(asked(write, Date.now()), background)
    } catch (error) {
      pages.forget(address.key)
      await run(readPath.drop(address), background)
      throw error
    }
    note(write, Date.now())
    await run(readPath.remember(address, { entry, readAt: Date.now() }), background)
  }

  /** Two writes of the key were under way: which of them KV has is not known here. */
  const unordered = ({ address, background }: FacadeWrite): Promise<void> => run(readPath.drop(address), background)

  const queue = makeWriteQueue(perform, unordered, Duration.toMillis(patience), sleep, attempts)

  const through = (write: FacadeWrite): Promise<void> =>
    queue.submit(write.address.key, write, (promise) => write.background.promise(promise))

  const flush = async (background: BackgroundService): Promise<void> => {
    const flushed = buffer.keys().map(async (key) => {
      const taken = buffer.take(key)
      if (taken === undefined) return
      try {
        await through({ ...taken.write, background })
      } catch (error) {
        buffer.restore(key, taken)
        throw error
      }
    })
    const failed = (await Promise.allSettled(flushed)).find((outcome) => outcome.status === "rejected")
    if (failed !== undefined) throw failed.reason
  }

  return {
    /** What was acknowledged of a key and KV does not have yet. */
    waiting: (key: string, now: number): { readonly entry: Entry | undefined } | undefined => {
      const write = buffer.get(key)
      if (write === undefined) return undefined
      return { entry: write.entry !== undefined && now >= write.entry.expiresAt ? undefined : write.entry }
    },

    through: (write: FacadeWrite): Promise<void> => {
      buffer.take(write.address.key)
      return through(write)
    },

    /** False where it cannot wait and has to go through. */
    behind: (write: FacadeWrite, now: number): boolean => {
      const { address, entry } = write
      if (entry !== undefined && entry.expiresAt - now < leastBufferedMillis) return false
      if (!buffer.put(address.key, write, entry?.value.byteLength ?? 0)) return false
      note(write, now)
      return true
    },

    flush,
    buffered: buffer.size
  }
}
