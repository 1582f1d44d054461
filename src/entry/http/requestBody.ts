import * as Effect from "effect/Effect"
import { concat } from "../../services/base/model/ByteCodec.ts"
import { repeatedMember } from "./jsonText.ts"
import { isTooDeep, maxNesting } from "./jsonValue.ts"
import { type Problem, problem } from "./problem.ts"

const none = new Uint8Array(0)

/**
 * The bytes of a request, at most `limit` of them: a declared length over it is refused unread, and no more than that
 * is ever held.
 */
export const readBody = (request: Request, limit: number): Effect.Effect<Uint8Array<ArrayBuffer>, Problem> => {
  if (Number(request.headers.get("Content-Length") ?? 0) > limit) return Effect.fail(tooLarge(limit))
  const { body } = request
  if (body === null) return Effect.succeed(none)
  return Effect.flatMap(
    Effect.tryPromise({
      try: () => collect(body, limit),
      catch: () => problem("incomplete-body", "the body could not be read to its end")
    }),
    (bytes) => (bytes === undefined ? Effect.fail(tooLarge(limit)) : Effect.succeed(bytes))
  )
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })

/** The JSON text of a request, at most `limit` bytes of it; whether it is JSON is for its parser to say. */
export const readJson = (request: Request, limit: number): Effect.Effect<string, Problem> => {
  const type = request.headers.get("Content-Type")
  const notJson = Effect.fail(problem("unsupported-media-type", "send the body as application/json"))
  if (type !== null && !/^\s*application\/json\s*(;|$)/i.test(type)) return notJson
  return Effect.flatMap(readBody(request, limit), (bytes) => {
    if (type === null && bytes.byteLength > 0) return notJson
    let text: string
    try {
      text = decoder.decode(bytes)
    } catch {
      return Effect.fail(problem("bad-json", "the body is not UTF-8"))
    }
    if (isTooDeep(text)) {
      return Effect.fail(problem("invalid-body", `JSON may be nested ${maxNesting} levels deep here`))
    }
    const repeated = repeatedMember(text, "value")
    return repeated === undefined
      ? Effect.succeed(text)
      : Effect.fail(problem("invalid-body", `an object has the member "${repeated.slice(0, 100)}" twice`))
  })
}

const tooLarge = (limit: number): Problem => problem("too-large", `a body holds at most ${limit} bytes`)

const collect = async (
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const reader = body.getReader()
  const chunks: Array<Uint8Array<ArrayBuffer>> = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.byteLength
    if (length > limit) {
      await reader.cancel()
      return undefined
    }
    chunks.push(value)
  }
  return concat(chunks)
}
