import type { ShardWrite } from "../../../src/services/durable/Shard.ts"

let serial = 0

/** A write, with a stamp of its own, as a first try in time makes it, unless said otherwise. */
export const write = (
  id: string,
  options: {
    readonly value?: Uint8Array | string
    readonly wall?: number
    readonly tags?: ReadonlyArray<string>
    readonly expiresAt?: number
    readonly lease?: number
  } = {}
): ShardWrite => {
  const { value = "value", wall = 1, tags = [], expiresAt = Number.POSITIVE_INFINITY, lease } = options
  return {
    id,
    stamp: { wall, counter: serial++, writer: "test" },
    body: {
      value: typeof value === "string" ? new TextEncoder().encode(value) : value,
      contentType: "text/plain",
      tags,
      expiresAt,
      loadMillis: 0
    },
    firstUntil: Number.MAX_SAFE_INTEGER,
    ...(lease !== undefined && { lease })
  }
}

export const remove = (id: string, wall = 1): ShardWrite => ({ ...write(id, { wall }), body: undefined })
