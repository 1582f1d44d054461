import { assert, describe, it } from "vitest"
import { type RecordOptions, recordBody } from "../../../../src/layers/http-cache/internal/recordBody.ts"

const chunk = new Uint8Array(1000).fill(1)

/** `count` chunks, then the end or a failure; `pulled` tells how many were asked for. */
const source = (count: number, failing = false) => {
  let pulled = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (pulled < count) {
          pulled++
          controller.enqueue(chunk)
        } else if (failing) controller.error(new Error("lost"))
        else controller.close()
      }
    },
    { highWaterMark: 0 }
  )
  return { stream, pulled: () => pulled }
}

const options = (own: Partial<RecordOptions> = {}): RecordOptions => ({
  announced: undefined,
  small: 3000,
  most: 1_000_000,
  collected: () => undefined,
  large: async (body) => (await new Response(body).arrayBuffer()).byteLength > 0,
  ...own
})

const read = async (stream: ReadableStream<Uint8Array> | null): Promise<number> =>
  (await new Response(stream).arrayBuffer()).byteLength

describe("recordBody", () => {
  it("collects a small body before its client has the end", async () => {
    let collected = 0
    const { ended, passing } = recordBody(
      source(3).stream,
      options({ collected: (bytes) => (collected = bytes.length) })
    )
    assert.strictEqual(await read(passing), 3000)
    assert.strictEqual(collected, 3000)
    assert.strictEqual((await ended)?.bytes?.length, 3000)
  })

  it("keeps a small one whatever its client and its source do with their chunks", async () => {
    for (const chunks of [1, 3]) {
      const made = Array.from({ length: chunks }, () => new Uint8Array(10).fill(1))
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          for (const chunk of made) controller.enqueue(chunk)
          controller.close()
        }
      })
      const { ended, passing } = recordBody(stream, options())
      for await (const chunk of passing!) chunk.fill(9)
      for (const chunk of made) chunk.fill(9)
      assert.deepEqual((await ended)?.bytes, new Uint8Array(10 * chunks).fill(1))
    }
  })

  it("streams a larger one to its keeper", async () => {
    let kept = 0
    const large = async (body: ReadableStream<Uint8Array>) => {
      kept = await read(body)
      return true
    }
    const { ended, passing } = recordBody(source(100).stream, options({ large }))
    assert.strictEqual(await read(passing), 100_000)
    assert.deepStrictEqual(await ended, { size: 100_000, bytes: undefined })
    assert.strictEqual(kept, 100_000)
  })

  it("waits for the slower of both: what is read ahead does not grow with the body", async () => {
    const slowClient = source(1000)
    recordBody(slowClient.stream, options())
    const slowKeeper = source(1000)
    const { passing } = recordBody(slowKeeper.stream, options({ large: () => new Promise(() => undefined) }))
    void read(passing).catch(() => undefined)
    for (let turn = 0; turn < 2000; turn++) await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    assert.isBelow(slowClient.pulled(), 10)
    assert.isBelow(slowKeeper.pulled(), 10)
  })

  it("keeps nothing of a body that fails, and its client learns of it", async () => {
    for (const count of [2, 50]) {
      let keeperFailed = false
      const large = (body: ReadableStream<Uint8Array>) =>
        read(body).then(
          () => true,
          () => {
            keeperFailed = true
            return false
          }
        )
      const { ended, passing } = recordBody(source(count, true).stream, options({ large }))
      assert.strictEqual(await read(passing).catch(() => "failed"), "failed")
      assert.isUndefined(await ended)
      assert.strictEqual(keeperFailed, count === 50)
    }
  })

  it("keeps nothing of a body that has not the bytes it was announced with", async () => {
    for (const announced of [2000, 4000]) {
      const { ended, passing } = recordBody(source(3).stream, options({ announced, small: 10_000 }))
      await read(passing).catch(() => "failed")
      assert.isUndefined(await ended, String(announced))
    }
  })

  it("goes on without a client that goes away, and without a keeper that does", async () => {
    const gone = recordBody(source(3).stream, options())
    await gone.passing?.cancel()
    assert.strictEqual((await gone.ended)?.size, 3000)
    const large = async (body: ReadableStream<Uint8Array>) => {
      await body.cancel()
      return false
    }
    const refused = recordBody(source(50).stream, options({ large }))
    assert.strictEqual(await read(refused.passing), 50_000)
    assert.isUndefined(await refused.ended)
  })

  it("does not read on for nobody", async () => {
    const endless = source(1_000_000)
    const { ended, passing } = recordBody(endless.stream, options({ most: 2000 }))
    await passing?.cancel()
    assert.isUndefined(await ended)
    assert.isBelow(endless.pulled(), 10)
  })
})
