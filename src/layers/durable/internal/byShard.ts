import { shardOf } from "../../../services/durable/Shard.ts"

/** Where each shard's items stand among all: positions by shard, in order. */
export const byShard = <A>(
  items: ReadonlyArray<A>,
  idOf: (item: A) => string,
  count: number
): ReadonlyMap<number, ReadonlyArray<number>> => {
  const positions = new Map<number, Array<number>>()
  for (const [position, item] of items.entries()) {
    const shard = shardOf(idOf(item), count)
    const known = positions.get(shard)
    if (known === undefined) positions.set(shard, [position])
    else known.push(position)
  }
  return positions
}
