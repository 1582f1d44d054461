import * as Effect from "effect/Effect"
import { Session } from "../../services/base/Session.ts"
import { isCron } from "../../services/replay/model/Placement.ts"
import type { Tally } from "../../services/replay/model/Replayed.ts"
import * as ReplayedValue from "../../services/replay/model/ReplayedValue.ts"
import type * as WriteHistory from "../../services/replay/model/WriteHistory.ts"
import type { Isolate } from "../../services/replay/ReplayFleet.ts"
import type { Workload, WorkloadRequest } from "../../services/replay/Workload.ts"
import { sweepAlerts } from "../alerts/sweepAlerts.ts"
import type { makeConsistencyOracle } from "./consistencyOracle.ts"

/** Does what a request asks for on one isolate, and checks what it was told against what had been written. */
export const replayRequest = (
  workload: Workload["Type"],
  history: ReturnType<typeof WriteHistory.make>,
  tally: Tally,
  oracle: ReturnType<typeof makeConsistencyOracle>
): {
  readonly run: (isolate: Isolate, request: WorkloadRequest) => Effect.Effect<void>
  /** Answers a read that the isolate's memory holds fresh, as the Worker does: at once. False for anything else. */
  readonly hit: (isolate: Isolate, request: WorkloadRequest) => boolean
} => {
  const { cacheAside, entries } = workload

  const read = ({ store }: Isolate, entry: number, asked?: string): Effect.Effect<void> => {
    const { collection, key } = entries[entry]!
    return Effect.ignore(
      cacheAside === undefined
        ? oracle.read(store, collection, entry, asked ?? key)
        : oracle.readThrough(store, collection, entry, asked ?? key, cacheAside)
    )
  }

  const write = ({ store }: Isolate, entry: number, size: number, ttl: number | undefined): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const version = history.issue(entry, false)
      const value = ReplayedValue.encode(version, size, entry)
      return Effect.ignore(oracle.written(version, store.set(collection, key, value, ttl === undefined ? {} : { ttl })))
    })

  const remove = ({ store }: Isolate, entry: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const version = history.issue(entry, true)
      return Effect.ignore(oracle.deleted(version, store.delete(collection, key)))
    })

  const readTogether = (
    { store }: Isolate,
    together: ReadonlyArray<number>,
    asked: ReadonlyArray<string> = together.map((entry) => entries[entry]!.key)
  ): Effect.Effect<void> =>
    cacheAside !== undefined
      ? Effect.forEach(together, (entry, index) => read({ store } as Isolate, entry, asked[index]), { discard: true })
      : Effect.ignore(oracle.readMany(store, entries[together[0]!]!.collection, together, asked))

  const writeTogether = ({ store }: Isolate, states: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const versions = states.map((state) => history.issue(state, false))
      const writes = states.map((state, index) => {
        const { key, size } = entries[state]!
        return { key, value: ReplayedValue.encode(versions[index]!, size, state) }
      })
      return Effect.asVoid(oracle.writtenMany(versions, store.writeMany(entries[states[0]!]!.collection, writes)))
    })

  /** The failures that its memory counted are reads that it answered. */
  const sweep = (isolate: Isolate, failures: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isolate.throttlesInMemory) tally.answered.memory += failures.length
      const providers = failures.map((failure) => providerOf(entries[failure]!.key))
      return Effect.ignore(Effect.provide(sweepAlerts, isolate.desk(oracle.over(isolate.store), providers)))
    })

  const perform = (isolate: Isolate, request: WorkloadRequest): Effect.Effect<void> => {
    switch (request.kind) {
      case "read":
        return read(isolate, request.entry, request.asked)
      case "readMany":
        return readTogether(isolate, request.entries, request.asked)
      case "write":
        return write(isolate, request.entry, request.size, request.ttl)
      case "delete":
        return remove(isolate, request.entry)
      case "writeMany":
        return writeTogether(isolate, request.entries)
      case "sweep":
        return sweep(isolate, request.failures)
    }
  }

  return {
    run: (isolate, request) =>
      Effect.provideService(
        Effect.suspend(() =>
          isCron(request) ? Effect.zipRight(perform(isolate, request), isolate.flush) : perform(isolate, request)
        ),
        Session,
        sessionOf(request)
      ),
    hit: ({ store }, request) => {
      if (request.kind !== "read" || isCron(request)) return false
      const { collection, key } = entries[request.entry]!
      return oracle.held(store, collection, request.entry, request.asked ?? key, sessionOf(request) ?? undefined)
    }
  }
}

/** Requests without a session are taken for one; crons belong to none. */
const sessionOf = (request: WorkloadRequest): string | null =>
  isCron(request) ? null : `session ${request.session ?? ""}`

/** The keys of a throttle are `class/provider`. */
const providerOf = (key: string): string => key.slice(key.indexOf("/") + 1)
