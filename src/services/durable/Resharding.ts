import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Stamp } from "../store/model/Entry.ts"
import type { DurableCacheError } from "./DurableCache.ts"
import type { ObjectPlace, Seal, Topology } from "./model/Topology.ts"
import type { ShardStats } from "./Shard.ts"

/**
 * What an object is told on its way out, each one safe to repeat.
 *
 * - `Look`: nothing. `Seal`: to give its keys away; what it was told first stays.
 * - `Marks`: to tell its tag marks. `Announce`: to bring those that all have in common to every new object. Only after
 *   every object of its generation is sealed.
 * - `Move`: to hand over the next rows, or to do what comes after the last. Only after all have announced. `GoOn`: the
 *   same, if it was ever told so.
 * - `Complete`: that all of its generation are retired, and where all keys are.
 */
export type ReshardStep =
  | { readonly _tag: "Look" | "Marks" | "Move" | "GoOn" }
  | { readonly _tag: "Announce"; readonly marks: ReadonlyMap<string, Stamp> }
  | { readonly _tag: "Seal" | "Complete"; readonly to: Topology }

export interface ReshardState {
  readonly seal: Seal | undefined
  /** Rows that this step handed over, or dropped. */
  readonly moved: number
  readonly dropped: number
  readonly stats: Pick<ShardStats, "entries" | "tombstones" | "bytes">
  /** Of those who are asked for them. */
  readonly marks?: ReadonlyMap<string, Stamp>
}

/** The objects one by one, as a change of their number must tell them apart. */
export interface ReshardingService {
  /** The objects that the setting `shards` counts. */
  readonly first: Topology
  readonly step: (place: ObjectPlace, step: ReshardStep) => Effect.Effect<ReshardState, DurableCacheError>
  /** Saves what is dirty into KV now. */
  readonly flush: (place: ObjectPlace) => Effect.Effect<boolean, DurableCacheError>
}

/** Undefined where there are no objects. */
export class Resharding extends Context.Reference<Resharding>()("larder/Resharding", {
  defaultValue: (): ReshardingService | undefined => undefined
}) {}
