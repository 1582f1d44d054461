import { assert, describe, it } from "vitest"
import { deployments } from "../../support/deployments.ts"

interface Performance {
  readonly scope: string
  readonly isolates: number
  readonly total: {
    readonly requests: number
    readonly answered: Record<string, number>
    readonly logical: Record<string, number>
    readonly durableObject: Record<string, number>
  }
  readonly byRoute: ReadonlyArray<{ readonly route: string; readonly tier: string; readonly requests: number }>
  readonly byCollection: ReadonlyArray<{ readonly collection: string; readonly reads: number }>
  readonly minutes: ReadonlyArray<{ readonly requests: number }>
}

const requestsOf = ({ byRoute }: Performance, route: string, tier: string): number =>
  byRoute.find((one) => one.route === route && one.tier === tier)?.requests ?? 0

const readsOf = ({ byCollection }: Performance, name: string): number =>
  byCollection.find(({ collection }) => collection === name)?.reads ?? 0

describe("the figures of a Worker, on workerd", () => {
  const worker = deployments()
  const performance = async (): Promise<Performance> =>
    (await (await worker.ask("GET", "monitor/performance")).json()) as Performance

  it("are those of all isolates, the ones that are gone included, with all that ended before", async () => {
    await worker.deploy({})
    await worker.put("monitored", "1")
    for (let i = 0; i < 5; i++) await worker.ask("GET", "cache/default/monitored")
    const first = await performance()
    assert.strictEqual(first.scope, "all")
    assert.strictEqual(requestsOf(first, "PUT cache", "-"), 1)
    assert.strictEqual(requestsOf(first, "GET cache", "memory"), 5)
    assert.strictEqual(first.total.answered.memory, 5)
    assert.strictEqual(readsOf(first, "default"), 5)
    assert.isAtLeast(first.minutes.length, 1)
    // What the object has not saved when it is stopped, within a minute, its next start does not know.
    await worker.deploy({})
    await worker.ask("GET", "cache/default/monitored")
    const second = await performance()
    assert.strictEqual(requestsOf(second, "GET cache", "durable"), 1)
    assert.isAtLeast(second.total.logical.writes!, 1)
  })

  it("are the ledger's too, where it is asked for all: what an isolate that is gone did is in it", async () => {
    const ledger = async (query: string) =>
      (await (await worker.ask("GET", `ledger${query}`)).json()) as {
        readonly scope: string
        readonly total: Performance["total"]
        readonly byCollection: Record<string, { readonly logical: { readonly writes: number } }>
      }
    await worker.deploy({})
    await worker.put("all", "1")
    const own = await ledger("")
    const all = await ledger("?scope=all")
    assert.deepStrictEqual([own.scope, all.scope], ["isolate", "all"])
    assert.strictEqual(own.total.logical.writes, 1)
    assert.isAtLeast(all.total.logical.writes!, 2)
    assert.strictEqual(all.byCollection.default!.logical.writes, all.total.logical.writes)
    await worker.put("all", "2")
    const after = await ledger("?scope=all")
    assert.strictEqual(after.total.logical.writes! - all.total.logical.writes!, 1)
    assert.strictEqual((await worker.ask("GET", "ledger?scope=none")).status, 400)
  })

  it("become a report of each day", async () => {
    const response = await worker.ask("GET", "monitor/reports?days=2")
    const { reports } = (await response.json()) as {
      reports: ReadonlyArray<{ date: string; complete: boolean; saved: { kvOperationsWithoutLarder: number } }>
    }
    assert.match(reports[0]!.date, /^\d{4}-\d\d-\d\d$/)
    assert.isFalse(reports[0]!.complete)
    assert.isAtLeast(reports[0]!.saved.kvOperationsWithoutLarder, 1)
    assert.strictEqual((await worker.ask("GET", "monitor/reports?days=0")).status, 400)
  })

  it("come to Prometheus with help and type each", async () => {
    for (let i = 0; i < 2; i++) await worker.ask("GET", "cache/default/monitored")
    const response = await worker.ask("GET", "monitor/metrics")
    const text = await response.text()
    assert.include(response.headers.get("Content-Type") ?? "", "text/plain; version=0.0.4")
    assert.match(text, /larder_requests_total\{route="GET cache",tier="memory",status="200"\} \d+/)
    assert.match(text, /larder_request_duration_seconds_bucket\{route="GET cache",tier="memory",le="\+Inf"\} \d+/)
    const named = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!))
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#")) continue
      const name = /^(\w+)/.exec(line)![1]!
      assert.isTrue(named.has(name) || named.has(name.replace(/_(bucket|sum|count)$/, "")), line)
    }
  })

  it("are the answering isolate's own in KV mode, which says so", async () => {
    await worker.deploy({ FEATURE_FLAG_DO_CACHE: "off" })
    await worker.put("alone", "1")
    const { isolates, scope, total } = await performance()
    assert.deepStrictEqual(
      { isolates, scope, writes: total.logical.writes },
      { isolates: 1, scope: "isolate", writes: 1 }
    )
  })
})
