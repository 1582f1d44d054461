import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import * as Client from "../../../src/entry/client.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"
import { runs } from "../../support/runs.ts"

renewedObject()

const spoil = (bytes: Uint8Array): void => void bytes.fill(0x58)

const collected = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
  const parts: Array<number> = []
  for await (const chunk of stream) {
    parts.push(...chunk)
    spoil(chunk)
  }
  return Uint8Array.from(parts)
}

const copied = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  spoil(bytes)
  return copy
}

describe.each(["on", "off"])("bytes that a caller has are its own, FEATURE_FLAG_DO_CACHE %s", (flag) => {
  const serve = Isolates.serve({ ...(env as unknown as Env), FEATURE_FLAG_DO_CACHE: flag })

  const send = async (request: Request): Promise<Response> => {
    const context = createExecutionContext()
    const response = await serve(request, context)
    await waitOnExecutionContext(context)
    return response
  }

  const ask = (path: string, init: RequestInit = {}) =>
    send(
      new Request(`https://larder.test/api/v1/cache/default/${path}`, {
        ...init,
        headers: { "X-API-KEY": "test", ...init.headers }
      })
    )

  const client = <A, E>(use: (client: Client.Client) => Effect.Effect<A, E>): Promise<A> =>
    Client.make({ baseUrl: "https://larder.test", apiKey: Redacted.make("test") }).pipe(
      Effect.flatMap(use),
      Effect.provide(FetchHttpClient.layer),
      Effect.provide(
        Layer.succeed(FetchHttpClient.Fetch, ((input, init) =>
          send(new Request(input as string, init))) as typeof fetch)
      ),
      Effect.runPromise
    )

  const batch = async (body: object): Promise<ReadonlyArray<{ readonly base64?: string }>> => {
    const headers = { "Content-Type": "application/json" }
    const response = await ask("batch", { method: "POST", headers, body: JSON.stringify(body) })
    return ((await response.json()) as { get?: ReadonlyArray<{ readonly base64?: string }> }).get ?? []
  }

  const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

  /** Puts bytes in one of all ways and changes what it gave. */
  const puts: Readonly<Record<string, (key: string, given: Uint8Array) => Promise<unknown>>> = {
    bytes: async (key, body) => {
      const answered = await ask(key, { method: "PUT", body })
      spoil(body)
      return answered
    },
    stream: async (key, given) => {
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(given)
          controller.close()
        }
      })
      const answered = await ask(key, { method: "PUT", body, ...{ duplex: "half" } })
      if (given.byteLength > 0) spoil(given)
      return answered
    },
    client: async (key, payload) => {
      await client(({ entries }) =>
        entries.put({ path: { collection: "default", key }, headers: {}, urlParams: {}, payload })
      )
      spoil(payload)
    },
    batch: (key, given) => batch({ set: [{ key, base64: base64(given) }] })
  }

  /** Reads a key in one of all ways, changes what it was given, and tells what it had been given. */
  const reads: Readonly<Record<string, (key: string) => Promise<Uint8Array>>> = {
    buffer: async (key) => copied(new Uint8Array(await (await ask(key)).arrayBuffer())),
    stream: async (key) => collected((await ask(key)).body!),
    client: async (key) =>
      copied(
        (await client(({ entries }) =>
          entries.get({ path: { collection: "default", key }, headers: {} })
        )) as Uint8Array
      ),
    batch: async (key) => Uint8Array.from(atob((await batch({ get: [key] }))[0]!.base64!), (it) => it.charCodeAt(0))
  }

  it("over single requests, batches, streams and the client, whichever tier answers", async () => {
    // Bytes that are neither text nor JSON, so that a batch gives them as base64.
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 5000 }).map((it) => Uint8Array.of(0xff, ...it))
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom(...Object.keys(puts)),
        fc.array(fc.constantFrom(...Object.keys(reads)), { minLength: 2, maxLength: 6 }),
        async (value, put, ways) => {
          const key = crypto.randomUUID()
          await puts[put]!(key, value.slice())
          for (const way of ways) expect(await reads[way]!(key), `${put}, ${way}`).toStrictEqual(value)
        }
      ),
      { numRuns: runs(30) }
    )
  })

  it("also for those who read at once", async () => {
    const value = Uint8Array.of(0xff, 1, 2, 3)
    const key = crypto.randomUUID()
    await ask(key, { method: "PUT", body: value.slice() })
    const found = await Promise.all(Object.values(reads).flatMap((read) => [read(key), read(key)]))
    for (const bytes of found) expect(bytes).toStrictEqual(value)
  })
})
