import { hasMoved, objectName, ownerOf, type Topology } from "../../../src/services/durable/model/Topology.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import type { DurableTrace } from "./durableTrace.ts"

/** Which object has which ids, by the seals that the objects keep themselves. */
export interface DurableOwners {
  readonly add: (object: string, shard: Shard["Type"]) => void
  /** Keys move to this generation. */
  readonly movesTo: (topology: Topology) => void
  /** The object that has an id now. */
  readonly holderOf: (id: string) => string
  /** Whether it has an id, will have it, or had it. */
  readonly covers: (object: string, id: string) => boolean
  /** Whether an isolate had reason not to reach an id's object since some time before a moment. */
  readonly wasTroubled: (isolate: number, id: string, since: number) => boolean
  /** Objects of the smallest generation there was. */
  readonly fewest: () => number
}

/** Milliseconds that an isolate's breaker is open, and a call that nobody answers may be under way before. */
const remembered = 20_000

/** @param shards objects of the first generation */
export const makeOwners = (shards: number, { troubledSince }: Pick<DurableTrace, "troubledSince">): DurableOwners => {
  const first: Topology = { generation: 0, shards }
  const generations = [first]
  const objects = new Map<string, Shard["Type"]>()
  return {
    add: (object, shard) => void objects.set(object, shard),
    movesTo: (topology) => {
      if (!generations.some(({ generation }) => generation === topology.generation)) generations.push(topology)
    },
    holderOf: (id) => {
      for (let own = first; ; ) {
        const object = objectName(ownerOf(own, id))
        const seal = objects.get(object)?.seal()
        if (seal === undefined || !hasMoved(seal, id)) return object
        own = seal.to
      }
    },
    wasTroubled: (isolate, id, since) =>
      generations.some((own) => {
        const object = objectName(ownerOf(own, id))
        return troubledSince(isolate, object, since) || troubledSince(isolate, object, since - remembered)
      }),
    covers: (object, id) => generations.some((own) => objectName(ownerOf(own, id)) === object),
    fewest: () => Math.min(...generations.map(({ shards }) => shards))
  }
}
