import { Miniflare } from "miniflare"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundle, moduleOf } from "../../support/miniflare.ts"

let worker: Miniflare
let base: URL

/** A connection that workerd has just closed answers nothing: such a request is sent once more, as RFC 9112 9.3.1 says. */
const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, base), init).catch((error: Error) => {
    if ((error.cause as { code?: string } | undefined)?.code !== "UND_ERR_SOCKET") throw error
    return fetch(new URL(path, base), init)
  })
const text = async (path: string, init: RequestInit = {}): Promise<string> => (await ask(path, init)).text()
const count = async (path: string): Promise<number> => (await (await ask(`/counts${path}`)).json()) as number
const statusOf = (response: Response): string => response.headers.get("cache-status") ?? ""

/** Until the promise holds: what goes on behind an answer ends by itself. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}

beforeAll(async () => {
  // Without miniflare's own Worker in front, which edits headers and holds bodies back.
  worker = new Miniflare({
    ...moduleOf(await bundle(new URL("../../support/http-cache/cachedWorker.ts", import.meta.url))),
    cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }]
  })
  base = await worker.unsafeGetDirectURL()
})

afterAll(() => worker.dispose())

describe("withHttpCache in workerd", () => {
  const trials = 20

  it(`${trials} of ${trials} times three overlapping requests on a cold resource are one call of the handler`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const path = `/shared/${trial}?ms=30`
      const bodies = await Promise.all([text(path), text(path), text(path)])
      assert.deepStrictEqual(bodies, ["shared 1", "shared 1", "shared 1"])
      assert.strictEqual(await count(`/shared/${trial}`), 1)
    }
  })

  it("a response that may not be shared reaches nobody but its own client", async () => {
    for (let trial = 0; trial < trials; trial++) {
      const users = ["a", "b", "c"]
      const path = `/private/${trial}?ms=20`
      const bodies = await Promise.all(users.map((user) => text(path, { headers: { user } })))
      assert.deepStrictEqual(
        bodies,
        users.map((user) => `for ${user}`)
      )
    }
  })

  it("a request behind one that is stuck goes by itself after its patience", async () => {
    const aborted = new AbortController()
    const stuck = ask("/stuck/1", { signal: aborted.signal }).catch(() => undefined)
    await until(async () => (await count("/stuck/1")) === 1)
    assert.strictEqual(await text("/stuck/1"), "answer 2")
    assert.strictEqual(await text("/stuck/1"), "answer 2")
    aborted.abort()
    await stuck
  })

  it("a client that goes away takes no answer from those who wait", async () => {
    for (let trial = 0; trial < 5; trial++) {
      const aborted = new AbortController()
      const path = `/shared/gone${trial}?ms=200`
      const leader = ask(path, { signal: aborted.signal }).catch(() => "aborted")
      await until(async () => (await count(`/shared/gone${trial}`)) === 1)
      const follower = text(path)
      aborted.abort()
      assert.strictEqual(await leader, "aborted")
      assert.match(await follower, /^shared [12]$/)
    }
  })

  for (const chunks of [4, 64]) {
    it(`a body of ${chunks} chunks that fails on its way is not kept`, async () => {
      const path = `/broken/${chunks}?chunks=${chunks}`
      // workerd ends the message where its source fails; what the client has is the beginning.
      const beginning = await ask(path)
        .then((response) => response.arrayBuffer())
        .catch(() => new ArrayBuffer(0))
      assert.isBelow(beginning.byteLength, chunks << 16)
      assert.strictEqual((await (await ask(path)).arrayBuffer()).byteLength, chunks << 16)
      assert.strictEqual(await count(`/broken/${chunks}`), 2)
    })
  }

  it("a body too large for memory is kept at the edge, ranges of it too", async () => {
    const chunks = 512
    const path = `/large/1?chunks=${chunks}`
    const first = await ask(path)
    assert.strictEqual(first.headers.get("content-length"), String(chunks << 16))
    assert.strictEqual((await first.arrayBuffer()).byteLength, chunks << 16)
    await until(async () => statusOf(await ask(path, { method: "HEAD" })).includes("hit"))
    const again = await ask(path)
    assert.strictEqual((await again.arrayBuffer()).byteLength, chunks << 16)
    assert.match(statusOf(again), /hit; .*detail=edge/)
    const part = await ask(path, { headers: { range: `bytes=${(chunks << 16) - 3}-` } })
    assert.strictEqual(part.status, 206)
    assert.deepStrictEqual([...new Uint8Array(await part.arrayBuffer())], [7, 7, 7])
  })

  it("a body that the runtime encodes arrives whole, from the handler and from the cache", async () => {
    for (const expected of ["fwd=uri-miss", "hit"]) {
      const response = await ask("/gzip/1", { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(await response.text(), "text 1")
      assert.include(statusOf(response), expected)
    }
  })

  it("a stale response is answered at once and made anew behind the answer", async () => {
    assert.strictEqual(await text("/behind/1"), "state 1")
    const seen = new Set<string>()
    await until(async () => seen.add(await text("/behind/1")).size > 2)
    assert.isTrue(seen.has("state 1"))
  })

  it("what the handler throws reaches the caller", async () => {
    const response = await ask("/nothing")
    assert.deepStrictEqual([response.status, await response.text()], [500, "Error: no such path: nothing"])
  })

  it("a purge ends what was stored", async () => {
    assert.strictEqual(await text("/shared/purged"), "shared 1")
    await ask("/purge", { method: "POST" })
    assert.strictEqual(await text("/shared/purged"), "shared 2")
  })
})
