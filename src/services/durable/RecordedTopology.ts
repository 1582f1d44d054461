import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Topology } from "./model/Topology.ts"

/** Which generation of objects has the keys, and to which one they are moving. */
export interface TopologyRecord extends Topology {
  readonly to?: Topology
}

export class RecordedTopologyError extends Data.TaggedError("RecordedTopologyError")<{
  readonly operation: "read" | "write"
  readonly reason: "Unavailable" | "Damaged"
  readonly cause?: unknown
}> {}

/**
 * The topology as it is remembered outside of every object, for those who cannot ask one: readers in an outage, and
 * objects that have lost their disk. Undefined where there are no objects, or only ever one generation of them.
 */
export class RecordedTopology extends Context.Reference<RecordedTopology>()("larder/RecordedTopology", {
  defaultValue: (): RecordedTopologyService | undefined => undefined
}) {}

export interface RecordedTopologyService {
  /** Undefined before the first reshard. */
  readonly read: Effect.Effect<TopologyRecord | undefined, RecordedTopologyError>
  readonly write: (record: TopologyRecord) => Effect.Effect<void, RecordedTopologyError>
}

/** The generations whose snapshots hold what the objects do, the newer one last. */
export const generationsIn = (record: TopologyRecord | undefined, shards: number): ReadonlyArray<Topology> => {
  if (record === undefined) return [{ generation: 0, shards }]
  const { to, ...from } = record
  return to === undefined ? [from] : [from, to]
}
