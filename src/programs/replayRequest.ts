import * as Effect from "effect/Effect"
import type { Isolate } from "../services/Isolates.ts"
import type { Tally } from "../services/Replayed.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import type { Acknowledgement, Lookup } from "../services/Store.ts"
import type { Workload, WorkloadRequest } from "../services/Workload.ts"
import type * as WriteHistory from "../services/WriteHistory.ts"

/**
 * Does what a request asks for on one isolate, and checks what it was told against what had been written.
 *
 * @param now the clock, in milliseconds since the epoch
 */
export const replayRequest = (
  workload: Workload["Type"],
  history: ReturnType<typeof WriteHistory.make>,
  tally: Tally,
  now: () => number
): ((isolate: Isolate, request: WorkloadRequest) => Effect.Effect<void>) => {
  const { entries } = workload

  const failed = (count: number) => (): void => {
    tally.failed += count
  }

  const judge = (entry: number, latest: number, lookup: Lookup): void => {
    tally.answered[lookup.tier] += 1
    const seen =
      lookup.entry === undefined ? history.absence(entry, now()) : ReplayedValue.versionOf(lookup.entry.value)
    if (history.isStale(seen, latest)) tally.staleReads += 1
  }

  const acknowledge = (write: number, as: Acknowledgement, expiresAt?: number): void => {
    if (as === "buffered") tally.bufferedWrites += 1
    history.acknowledge(write, as === "buffered" ? "buffered" : "stored", expiresAt)
  }

  const read = ({ store }: Isolate, entry: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const latest = history.latest(entry)
      return Effect.match(store.get(collection, key), {
        onFailure: failed(1),
        onSuccess: (lookup) => judge(entry, latest, lookup)
      })
    })

  const write = ({ store }: Isolate, entry: number, size: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { collection, key } = entries[entry]!
      const version = history.issue(entry, false)
      return Effect.match(store.set(collection, key, ReplayedValue.encode(version, size)), {
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

  const readTogether = ({ store }: Isolate, states: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const latest = states.map(history.latest)
      const keys = states.map((state) => entries[state]!.key)
      return Effect.match(store.getMany(entries[states[0]!]!.collection, keys), {
        onFailure: failed(states.length),
        onSuccess: (lookups) => {
          for (const [index, lookup] of lookups.entries()) judge(states[index]!, latest[index]!, lookup)
        }
      })
    })

  const writeTogether = ({ store }: Isolate, states: ReadonlyArray<number>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const versions = states.map((state) => history.issue(state, false))
      const writes = states.map((state, index) => {
        const { key, size } = entries[state]!
        return { key, value: ReplayedValue.encode(versions[index]!, size) }
      })
      return Effect.map(store.setMany(entries[states[0]!]!.collection, writes), (results) => {
        for (const [index, result] of results.entries()) {
          if (result._tag === "Done") {
            acknowledge(versions[index]!, result.value.acknowledged, result.value.expiresAt)
          } else tally.failed += 1
        }
      })
    })

  const throttle = (isolate: Isolate, provider: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isolate.throttle === undefined) {
        return Effect.zipRight(read(isolate, provider), write(isolate, provider, entries[provider]!.size))
      }
      isolate.throttle.set(provider, (isolate.throttle.get(provider) ?? 0) + 1)
      tally.answered.memory += 1
      return Effect.void
    })

  return (isolate, request) => {
    switch (request.kind) {
      case "read":
        return read(isolate, request.entry)
      case "write":
        return write(isolate, request.entry, request.size)
      case "delete":
        return remove(isolate, request.entry)
      case "sweep":
        return Effect.all(
          [
            readTogether(isolate, request.states),
            writeTogether(isolate, request.states),
            Effect.forEach(request.failures, (provider) => throttle(isolate, provider), { discard: true })
          ],
          { discard: true }
        )
    }
  }
}
