import type { Shard, ShardWrite } from "../../../src/services/durable/Shard.ts"

type ShardService = Shard["Type"]

export const day = 86_400_000
export const t0 = 1_700_000_000_000

let counter = 0
export const stampAt = (wall: number, writer = "w") => ({ wall, counter: counter++, writer })

export const bodyOf = (text: string, options: Partial<NonNullable<ShardWrite["body"]>> = {}) => ({
  value: new TextEncoder().encode(text),
  contentType: "text/plain",
  tags: [],
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0,
  ...options
})

export const put = (id: string, now: number, body: ShardWrite["body"] = bodyOf("v")): ShardWrite => ({
  id,
  stamp: stampAt(now),
  body,
  firstUntil: now
})

export const remove = (id: string, now: number): ShardWrite => ({
  id,
  stamp: stampAt(now),
  body: undefined,
  firstUntil: now
})

export const outside = ({ body, id, stamp }: ShardWrite): ShardWrite => ({ id, stamp, body })

export const outcomes = (shard: ShardService, now: number, ...writes: ReadonlyArray<ShardWrite>) =>
  shard.apply(writes, now).map(({ outcome }) => outcome)

export const textOf = (shard: ShardService, id: string, now: number): string | undefined => {
  const entry = shard.getMany([id], now)[0]
  return entry && new TextDecoder().decode(entry.value)
}

/** Rows that an action bills. */
export const billOf = (shard: ShardService, action: () => void) => {
  const before = shard.billed()
  action()
  const after = shard.billed()
  return { read: after.rowsRead - before.rowsRead, written: after.rowsWritten - before.rowsWritten }
}
