import { env } from "cloudflare:test"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeFacades } from "../../../src/entry/facade/namespace.ts"
import type { FacadeOptions } from "../../../src/services/facade/KvFacade.ts"
import { runs } from "../../support/runs.ts"

const { CACHE_KV: namespace } = env as { CACHE_KV: KVNamespace }

interface Kept {
  readonly text: string
  readonly metadata: { readonly list: Array<number> }
}

const given = (text: string, as: "buffer" | "bytes" | "view") => {
  const bytes = new TextEncoder().encode(`"${text}"`)
  if (as === "bytes") return bytes
  if (as === "buffer") return bytes.slice().buffer
  const around = new Uint8Array(bytes.byteLength + 4)
  around.set(bytes, 2)
  return new DataView(around.buffer, 2, bytes.byteLength)
}

const overwrite = (value: ArrayBuffer | ArrayBufferView): void =>
  void new Uint8Array("buffer" in value ? value.buffer : value).fill(0x58)

/** Reads a key in one of all ways, changes everything it was given, and tells what it had been given. */
const reads: Readonly<Record<string, (kv: KVNamespace, key: string) => Promise<unknown>>> = {
  arrayBuffer: async (kv, key) => {
    const buffer = (await kv.get(key, "arrayBuffer"))!
    const text = new TextDecoder().decode(buffer)
    overwrite(buffer)
    return JSON.parse(text)
  },
  stream: async (kv, key) => {
    let text = ""
    for await (const chunk of (await kv.get(key, "stream"))!) {
      text += new TextDecoder().decode(chunk)
      overwrite(chunk)
    }
    return JSON.parse(text)
  },
  metadata: async (kv, key) => {
    const { metadata, value } = await kv.getWithMetadata<Kept["metadata"]>(key, "arrayBuffer")
    const text = new TextDecoder().decode(value!)
    expect(metadata).toStrictEqual({ list: [1, 2] })
    metadata!.list.push(3)
    overwrite(value!)
    return JSON.parse(text)
  },
  bulk: async (kv, key) => {
    const found = await kv.getWithMetadata<string, Kept["metadata"]>([key], "json")
    const { metadata, value } = found.get(key)!
    expect(metadata).toStrictEqual({ list: [1, 2] })
    metadata!.list.length = 0
    found.clear()
    return value
  },
  list: async (kv, key) => {
    const { keys } = await kv.list<Kept["metadata"]>({ prefix: key })
    const [listed] = keys.splice(0)
    expect(listed).toMatchObject({ name: key, metadata: { list: [1, 2] } })
    listed!.metadata!.list.push(9)
    return JSON.parse((await kv.get(key))!)
  }
}

let keys = 0

describe("what is given to the facade or taken from it", () => {
  it.each<[string, FacadeOptions]>([
    ["through", {}],
    ["behind", { write: "behind", flushAfter: 0.05 }],
    ["to a namespace of its own", { exclusive: true }]
  ])("can be changed without anybody else seeing it: written %s", async (_, options) => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[a-z]{1,8}$/),
        fc.constantFrom("buffer" as const, "bytes" as const, "view" as const),
        fc.array(fc.constantFrom(...Object.keys(reads)), { minLength: 2, maxLength: 6 }),
        async (text, as, ways) => {
          const pending: Array<Promise<unknown>> = []
          const context = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) }
          const kv = makeFacades(1_000_000).facadeOf(namespace, options).during(context)
          const key = `copies${keys++}-${Date.now()}`
          const value = given(text, as)
          const metadata = { list: [1, 2] }
          const put = kv.put(key, value, { metadata })
          overwrite(value)
          metadata.list.push(4)
          await put
          for (const way of ways) expect([way, await reads[way]!(kv, key)]).toStrictEqual([way, text])
          await Promise.all(pending)
          expect(await namespace.getWithMetadata(key)).toMatchObject({ value: `"${text}"`, metadata: { list: [1, 2] } })
        }
      ),
      { numRuns: runs(12) }
    )
  })

  it("is each caller's own where a loader made it for all who missed at once", async () => {
    const facade = makeFacades(1_000_000).facadeOf(namespace, {})
    const context = { waitUntil: () => {} }
    const made = { list: [1] }
    const key = `loaded-${Date.now()}`
    const ask = () => facade.getOrLoad(context, key, () => made, { ttl: 60 }) as Promise<typeof made>
    const [first, second] = await Promise.all([ask(), ask()])
    first!.list.push(2)
    made.list.push(3)
    expect(second).toStrictEqual({ list: [1] })
    expect(await ask()).toStrictEqual({ list: [1] })
  })
})
