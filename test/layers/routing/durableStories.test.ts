import { describe, it } from "@effect/vitest"
import { run } from "../../support/durable/durablePlay.ts"
import type { Operation, Scenario, Step } from "../../support/durable/durableScenario.ts"

describe("what the promise was once broken by:", () => {
  const plan: Scenario = {
    seed: 1,
    shards: 1,
    reshards: false,
    skews: [0, 0, 0],
    edge: false,
    main: 0,
    fates: [],
    faults: [],
    pageRows: 1,
    steps: []
  }
  const ask = (isolate: number, wait: number, operation: Operation): Step => ({ _: "ask", isolate, wait, operation })
  const key = { collection: 0, key: 0 }
  const get: Operation = { _: "get", ...key }
  const set: Operation = { _: "set", ...key, tags: [], ttl: undefined }
  const remove: Operation = { _: "delete", ...key }
  const load: Operation = { _: "load", ...key, tags: [], millis: 0, outcome: "value" }

  const story = (title: string, told: Partial<Scenario>) => it(title, () => void run({ ...plan, ...told }))

  story("a first try that arrives after its own resend, within the skew of the clocks, is no first try", {
    skews: [300, 0, 0],
    fates: [{ kind: "late", there: 149, back: 0 }],
    steps: [ask(0, 0, set), ask(1, 2100, set), ask(2, 500, get)]
  })

  story("a write is as old as its asking, not as its reply", {
    fates: [{ kind: "slow", there: 0, back: 500 }],
    steps: [ask(0, 0, set), ask(1, 100, set), ask(0, 600, get)]
  })

  story("a delete whose reply overtakes that of a write before it stays", {
    fates: [{ kind: "slow", there: 0, back: 500 }],
    steps: [ask(0, 0, set), ask(0, 10, remove), ask(0, 600, get)]
  })

  story("what another one's load brought while the lease was asked for is as old as the asking", {
    fates: [
      { kind: "slow", there: 0, back: 0 },
      { kind: "slow", there: 10, back: 900 }
    ],
    steps: [ask(1, 0, load), ask(0, 5, set), ask(0, 300, set), ask(1, 1000, get)]
  })

  story("a write that is acknowledged while its isolate asks for a lease is not hidden by what the lease brings", {
    fates: [
      { kind: "late", there: 0, back: 0 },
      { kind: "slow", there: 0, back: 0 },
      { kind: "slow", there: 1300, back: 0 },
      { kind: "slow", there: 0, back: 500 }
    ],
    steps: [ask(2, 0, load), ask(0, 900, set), ask(2, 90, set), ask(2, 1600, get)]
  })

  story("a load that ends after one that began later makes it no younger", {
    steps: [
      ask(2, 0, { ...load, millis: 4000 } as Operation),
      ask(2, 0, load),
      { _: "outage", wait: 0, isolate: 2, shard: 0, millis: 60_000 },
      ask(2, 5000, get)
    ]
  })

  story("a load without a shard that begins while a write is under way does not hide it", {
    fates: [
      { kind: "slow", there: 0, back: 0 },
      { kind: "lost", there: 20, back: 20 },
      { kind: "slow", there: 20, back: 0 }
    ],
    steps: [ask(0, 0, load), ask(0, 21, set), ask(0, 5000, get)]
  })

  story("an outside write from a clock ahead, once adopted, hides no later one", {
    skews: [300, -300, 0],
    steps: [
      { _: "outage", wait: 0, isolate: 0, shard: 0, millis: 60 },
      ask(0, 1, set),
      ask(0, 120, { ...set, key: 1 }),
      ask(2, 60, set),
      ask(0, 25_000, get)
    ]
  })

  story("a read where no tier stands in front is not answered by one under way that is older", {
    main: 1,
    fates: [{ kind: "slow", there: 0, back: 500 }],
    steps: [ask(0, 0, get), ask(1, 10, set), ask(0, 20, get)]
  })

  story("a KV that hangs holds up no write", {
    faults: [{ kind: "hang", applied: false }],
    steps: [{ _: "outage", wait: 0, isolate: 0, shard: 0, millis: 500 }, ask(0, 30, set)]
  })

  story("a resend that an invalidation may have ended before it arrived may lie dead under a clear", {
    skews: [0, 0, -4],
    fates: [{ kind: "late", there: 20, back: 0 }],
    steps: [
      ask(0, 0, { ...set, tags: ["t"] } as Operation),
      ask(0, 6, { _: "invalidate", tags: ["t"] }),
      ask(0, 1995, { _: "clear", collection: 0 })
    ]
  })

  story("a resend that an invalidation has ended before it came is not read from memory", {
    fates: [{ kind: "drop", there: 20, back: 0 }],
    steps: [
      ask(1, 0, { ...set, tags: ["t"] } as Operation),
      ask(0, 3, { _: "invalidate", tags: ["t"] }),
      ask(1, 30, get)
    ]
  })

  story("a resend from a clock that is behind may be ended by an invalidation that was long on its way", {
    skews: [-9, 0, 0],
    fates: [
      { kind: "slow", there: 1080, back: 0 },
      { kind: "late", there: 0, back: 0 }
    ],
    steps: [ask(1, 0, { _: "invalidate", tags: ["t"] }), ask(0, 1088, { ...set, tags: ["t"] } as Operation)]
  })

  story("with a disk an invalidation is lost, too, and what was kept outside before it comes back", {
    steps: [
      { _: "outage", wait: 0, isolate: 2, shard: 0, millis: 500 },
      ask(2, 0, { ...set, tags: ["t"] } as Operation),
      ask(2, 500, { _: "invalidate", tags: ["t"] }),
      { _: "lose", wait: 30, shard: 0 },
      ask(2, 30, get)
    ]
  })

  story("a lease that cannot be given back holds up no failed load", {
    fates: [
      { kind: "slow", there: 1, back: 0 },
      { kind: "slow", there: 1, back: 0 },
      { kind: "silent", there: 20, back: 0 }
    ],
    steps: [ask(0, 0, { ...load, outcome: "fails" } as Operation)]
  })
})
