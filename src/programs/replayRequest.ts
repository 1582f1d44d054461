import * as Effect from "effect/Effect"
import type { Isolate } from "../services/Isolates.ts"
import { isCron } from "../services/Placement.ts"
import type { Tally } from "../services/Replayed.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import { Session } from "../services/Session.ts"
import type { Workload, WorkloadRequest } from "../services/Workload.ts"
import type * as WriteHistory from "../services/WriteHistory.ts"
import { sweepAlerts } from "./sweepAlerts.ts"
import type { makeWitness } from "./witness.ts"

/** Does what a request asks for on one isolate, and checks what it was told against what had been written. */
export const replayRequest = (
  workload: Workload["Type"],
  history: ReturnType<typeof WriteHistory.make>,
  tally: Tally,
  { acknowledge, judge, over }: ReturnType<typeof makeWitness>
): ((isolate: Isolate, request: WorkloadRequest) => Effect.Effect<void>) => {
  const { entries } = workload

  const failed = (count: number) => (): void => {
    tally.failed += count
  }

  const read = ({ store }: Isolate, entry: number, asked?: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const latest = history.latest(entry)
      return Effect.match(store.get(collection, asked ?? key), {
        onFailure: failed(1),
        onSuccess: (lookup) => judge(entry, asked, latest, lookup)
      })
    })

  const write = ({ store }: Isolate, entry: number, size: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const version = history.issue(entry, false)
      return Effect.match(store.set(collection, key, ReplayedValue.encode(version, size, entry)), {
        onFailure: failed(1),
        onSuccess: ({ acknowledged, expiresAt }) => acknowledge(version, acknowledged, expiresAt)
      })
    })

  const remove = ({ store }: Isolate, entry: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const version = history.issue(entry, true)
      return Effect.match(store.delete(collection, key), {
        onFailure: failed(1),
        onSuccess: (acknowledged) => acknowledge(version, acknowledged)
      })
    })

  const readTogether = (
    { store }: Isolate,
    together: ReadonlyArray<number>,
    asked: ReadonlyArray<string> = together.map((entry) => entries[entry]!.key)
  ): Effect.Effect<void> =>
    Effect.suspend(() => {
      const latest = together.map(history.latest)
      return Effect.match(store.getMany(entries[together[0]!]!.collection, asked), {
        onFailure: failed(together.length),
        onSuccess: (lookups) => {
          for (const [index, lookup] of lookups.entries()) judge(together[index]!, asked[index], latest[index]!, lookup)
        }
      })
    })

  const writeTogether = ({ store }: Isolate, states: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const versions = states.map((state) => history.issue(state, false))
      const writes = states.map((state, index) => {
        const { key, size } = entries[state]!
        return { key, value: ReplayedValue.encode(versions[index]!, size, state) }
      })
      return Effect.map(store.setMany(entries[states[0]!]!.collection, writes), (results) => {
        for (const [index, result] of results.entries()) {
          if (result._tag === "Done") {
            acknowledge(versions[index]!, result.value.acknowledged, result.value.expiresAt)
          } else tally.failed += 1
        }
      })
    })

  /** The failures that its memory counted are reads that it answered. */
  const sweep = (isolate: Isolate, failures: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isolate.throttlesInMemory) tally.answered.memory += failures.length
      const providers = failures.map((failure) => providerOf(entries[failure]!.key))
      return Effect.ignore(Effect.provide(sweepAlerts, isolate.desk(over(isolate.store), providers)))
    })

  const perform = (isolate: Isolate, request: WorkloadRequest): Effect.Effect<void> => {
    switch (request.kind) {
      case "read":
        return read(isolate, request.entry, request.asked)
      case "readMany":
        return readTogether(isolate, request.entries, request.asked)
      case "write":
        return write(isolate, request.entry, request.size)
      case "delete":
        return remove(isolate, request.entry)
      case "writeMany":
        return writeTogether(isolate, request.entries)
      case "sweep":
        return sweep(isolate, request.failures)
    }
  }

  return (isolate, request) =>
    Effect.provideService(
      Effect.suspend(() =>
        isCron(request) ? Effect.zipRight(perform(isolate, request), isolate.flush) : perform(isolate, request)
      ),
      Session,
      sessionOf(request)
    )
}

/** Requests without a session are taken for one; crons belong to none. */
const sessionOf = (request: WorkloadRequest): string | null =>
  isCron(request) ? null : `session ${request.session ?? ""}`

/** The keys of a throttle are `class/provider`. */
const providerOf = (key: string): string => key.slice(key.indexOf("/") + 1)
