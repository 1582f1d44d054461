import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { concat } from "../../services/base/model/ByteCodec.ts"
import { repeatedMember } from "./jsonText.ts"
import { isTooDeep, maxNesting } from "./jsonValue.ts"
import { type Problem, problem } from "./problem.ts"

const none = new Uint8Array(0)

/** What the body of a request may take. */
export interface BodyLimits {
  readonly bytes: number
  /** From now until its last byte, for a short one; see {@link prolonged}. */
  readonly deadline: Duration.Duration
}

/** What every MiB of a body may take beside the deadline: it comes at a megabit a second, or slower. */
const patienceForMiB = Duration.seconds(10)

/** A deadline, prolonged by what the declared length of a request's body may take to arrive. */
export const prolonged = (deadline: Duration.Duration, { headers }: Request): Duration.Duration =>
  Duration.sum(deadline, Duration.times(patienceForMiB, Number(headers.get("Content-Length") ?? 0) / 2 ** 20 || 0))

export const late = (deadline: Duration.Duration): Problem =>
  problem(
    "request-timeout",
    `the body had not arrived after ${Math.round(Duration.toSeconds(deadline) * 1000) / 1000} seconds`
  )

/**
 * The bytes of a request, at most as many as are allowed: a declared length over it is refused unread, and no more than
 * that is ever held.
 */
export const readBody = (
  request: Request,
  { bytes: limit, deadline }: BodyLimits
): Effect.Effect<Uint8Array<ArrayBuffer>, Problem> => {
  if (Number(request.headers.get("Content-Length") ?? 0) > limit) return Effect.fail(tooLarge(limit))
  const { body } = request
  const patience = prolonged(deadline, request)
  if (body === null) return Effect.succeed(none)
  return Effect.flatMap(
    Effect.tryPromise({
      try: (signal) => collect(body, limit, signal),
      catch: () => problem("incomplete-body", "the body could not be read to its end")
    }).pipe(Effect.timeoutFail({ duration: patience, onTimeout: () => late(patience) })),
    (bytes) => (bytes === undefined ? Effect.fail(tooLarge(limit)) : Effect.succeed(bytes))
  )
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })

/** The JSON text of a request; whether it is JSON is for its parser to say. */
export const readJson = (request: Request, limits: BodyLimits): Effect.Effect<string, Problem> => {
  const type = request.headers.get("Content-Type")
  const notJson = Effect.fail(problem("unsupported-media-type", "send the body as application/json"))
  if (type !== null && !/^\s*application\/json\s*(;|$)/i.test(type)) return notJson
  return Effect.flatMap(readBody(request, limits), (bytes) => {
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
  limit: number,
  signal: AbortSignal
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const reader = body.getReader()
  signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined), { once: true })
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
  // The caller's own where the request was made in this isolate.
  return chunks.length === 1 ? chunks[0]!.slice() : concat(chunks)
}
