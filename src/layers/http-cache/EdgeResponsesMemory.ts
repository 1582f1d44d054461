import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EdgeResponses, EdgeResponsesError } from "../../services/http-cache/EdgeResponses.ts"

/** One location in a Map: the twin of the Cache API that tests and several isolates of one test share. */
export const make = (): EdgeResponses["Type"] => {
  const kept = new Map<string, { readonly bytes: Uint8Array; readonly until: number }>()
  return {
    match: (id) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const found = kept.get(id)
        if (found === undefined || found.until <= now) return Option.none()
        return Option.fromNullable(new Response(found.bytes as Uint8Array<ArrayBuffer>).body)
      }),
    put: (id, bytes, { size, until }) =>
      Effect.tryPromise({
        try: async () => {
          const whole = new Uint8Array(await new Response(bytes as BodyInit).arrayBuffer())
          if (size !== undefined && whole.byteLength !== size) throw new Error("the stream ended early")
          kept.set(id, { bytes: whole, until })
        },
        catch: (cause) => new EdgeResponsesError({ operation: "put", reason: "Incomplete", cause })
      }),
    enabled: true
  }
}

export const layer: Layer.Layer<EdgeResponses> = Layer.sync(EdgeResponses, make)
