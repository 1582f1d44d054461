import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type EdgeResponses, EdgeResponsesError } from "../../../services/http-cache/EdgeResponses.ts"
import type { PurgeMark } from "../../../services/http-cache/model/Purge.ts"
import * as Shelf from "../../../services/http-cache/model/Shelf.ts"

/** What the edge holds as JSON says which form it has; another is not read. */
const version = 1

interface Document {
  readonly version: number
  readonly value: unknown
}

const encoder = new TextEncoder()

export const encode = (value: unknown): Uint8Array =>
  encoder.encode(JSON.stringify({ version, value } satisfies Document))

/** How a document is read: what stands for none, and whether a value has the form. */
export interface Form<A> {
  readonly none: A
  readonly is: (value: unknown) => value is A
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const isStored = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.id === "string" &&
  typeof value.status === "number" &&
  typeof value.responseTime === "number" &&
  Array.isArray(value.headers) &&
  Array.isArray(value.vary) &&
  Array.isArray(value.selecting) &&
  Array.isArray(value.tags)

export const shelf: Form<Shelf.Shelf> = {
  none: Shelf.empty,
  is: (value): value is Shelf.Shelf =>
    isRecord(value) &&
    typeof value.droppedAt === "number" &&
    Array.isArray(value.variants) &&
    value.variants.every(isStored)
}

export const marks: Form<ReadonlyArray<PurgeMark>> = {
  none: [],
  is: (value): value is ReadonlyArray<PurgeMark> =>
    Array.isArray(value) && value.every((mark) => isRecord(mark) && typeof mark.at === "number")
}

export const read = <A>(
  edge: Context.Tag.Service<EdgeResponses>,
  id: string,
  form: Form<A>
): Effect.Effect<A, EdgeResponsesError> =>
  Effect.flatMap(edge.match(id), (found) =>
    Option.isNone(found)
      ? Effect.succeed(form.none)
      : Effect.tryPromise({
          try: async () => {
            const document = (await new Response(found.value).json()) as Document
            return document.version === version && form.is(document.value) ? document.value : form.none
          },
          catch: (cause) => new EdgeResponsesError({ operation: "match", reason: "Unavailable", cause })
        })
  )
