import { compareUtf8 } from "../../kv/model/KvPaging.ts"
import { shardOf } from "../Shard.ts"

/** So many objects that share the keys. Each change of their number makes objects of a new generation. */
export interface Topology {
  /** 0 for the objects that the setting `shards` counts. */
  readonly generation: number
  readonly shards: number
}

/** One object among all generations. */
export interface ObjectPlace {
  readonly generation: number
  readonly shard: number
}

/** The most objects that a generation has. */
export const mostShards = 64

/**
 * The object as its callers name it. A name is used by one generation only, so that no object finds a snapshot that is
 * not its own.
 */
export const objectName = ({ generation, shard }: ObjectPlace): string =>
  generation === 0 ? `shard-${shard}` : `shard-${generation}.${shard}`

export const placesOf = ({ generation, shards }: Topology): ReadonlyArray<ObjectPlace> =>
  Array.from({ length: shards }, (_, shard) => ({ generation, shard }))

export const ownerOf = ({ generation, shards }: Topology, id: string): ObjectPlace => ({
  generation,
  shard: shardOf(id, shards)
})

/** How far an object is with giving its keys away. It never goes back. */
export interface Departure {
  readonly to: Topology
  /** Ids up to this one, in the order of UTF-8 bytes, have moved; empty for none. */
  readonly through: string
  /** All ids have moved. */
  readonly done: boolean
  /** Every object of its generation, and of all before `to`, is through and has dropped its rows. */
  readonly complete: boolean
}

/**
 * The same as the object remembers it.
 *
 * - `sealed`: takes no write and no invalidation. `announced`: every new object has its tag marks, so that it takes
 *   invalidations again, and still no write. `moving`: rows are on their way.
 * - `retired`: all of them are safe in the new objects, and dropped here.
 */
export interface Seal extends Departure {
  readonly phase: "sealed" | "announced" | "moving" | "retired"
  /** Where the next rows begin; undefined when all are sent. Behind `through` while what was lost is sent again. */
  readonly sent: string | undefined
  /** By new shard, the id of its disk, which one that has lost it has no more. */
  readonly lives: ReadonlyArray<number>
  /** It has lost its own disk meanwhile, and does not know what of its rows has moved, and changed since: it tells none. */
  readonly blind?: true
}

/** The seal of an object that is told to give its keys away. */
export const sealedTo = (to: Topology): Seal => ({
  to,
  phase: "sealed",
  through: "",
  sent: "",
  done: false,
  complete: false,
  lives: []
})

/** The seal of an object that has none any more. */
export const retiredTo = (to: Topology): Seal => ({
  ...sealedTo(to),
  phase: "retired",
  sent: undefined,
  done: true,
  complete: true
})

export const departureOf = ({ complete, done, through, to }: Seal): Departure => ({ to, through, done, complete })

/** Whether an object has given this id away. */
export const hasMoved = ({ done, through }: Pick<Departure, "done" | "through">, id: string): boolean =>
  done || compareUtf8(id, through) <= 0

/** What a caller knows of where keys are: objects that have them, and how far those are with giving them away. */
export interface RouteView {
  readonly base: Topology
  /** By shard of `base`. */
  readonly departures: ReadonlyMap<number, Departure>
}

export const viewOf = (base: Topology): RouteView => ({ base, departures: new Map() })

/** The generation that keys move to, while they do. */
export const nextOf = ({ departures }: RouteView): Topology | undefined => departures.values().next().value?.to

/** The object to ask for an id. */
export const placeOf = (view: RouteView, id: string): ObjectPlace => {
  const place = ownerOf(view.base, id)
  const departure = view.departures.get(place.shard)
  return departure !== undefined && hasMoved(departure, id) ? ownerOf(departure.to, id) : place
}

/** The view after an object has told how far it is; the same one if that is nothing new. */
export const learn = (view: RouteView, { generation, shard }: ObjectPlace, told: Departure): RouteView => {
  const { base, departures } = view
  if (told.complete) return told.to.generation > base.generation ? viewOf(told.to) : view
  if (generation < base.generation) return view
  if (generation > base.generation) {
    // Objects of a generation move on only when all before them are through.
    const next = nextOf(view)
    return next === undefined ? view : learn(viewOf(next), { generation, shard }, told)
  }
  const known = departures.get(shard)
  if (known !== undefined && (known.done || (!told.done && compareUtf8(told.through, known.through) <= 0))) return view
  const all = new Map(departures).set(shard, told)
  const isThrough = all.size === base.shards && [...all.values()].every(({ done }) => done)
  return isThrough ? viewOf(told.to) : { base, departures: all }
}
