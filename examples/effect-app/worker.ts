import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Larder, Ledger, readThrough, TypedCollection } from "../../src/entry/package/effect.ts"

// An Effect app on the default stack: a typed collection, read through memory, the edge cache and KV, loaded once for all
// who miss it at once. Outside of this repository the import is from "larder-kv/effect".

export interface Env {
  readonly CACHE_KV: KVNamespace
  readonly EDGE_TIER?: string
}

const Quote = Schema.Struct({ symbol: Schema.String, cents: Schema.Int })

const quotes = TypedCollection.make({
  name: "quotes",
  key: Schema.NonEmptyString,
  value: Quote,
  policy: { ttl: "5 minutes", staleFor: "1 minute", graceFor: "1 hour" }
})

export class SourceError extends Data.TaggedError("SourceError")<{ readonly symbol: string }> {}

/** Where quotes come from: none for a symbol that does not exist. */
export type Source = (symbol: string) => Effect.Effect<Option.Option<typeof Quote.Type>, SourceError>

/** Your source. */
const sample: Source = (symbol) => Effect.succeedSome({ symbol, cents: 10_000 + symbol.length })

const Symbol = Schema.String.pipe(Schema.pattern(/^[A-Z]{1,5}$/))

const answer = (source: Source, url: URL) =>
  Effect.gen(function* () {
    if (url.pathname === "/ledger") return Response.json((yield* Ledger).report())
    const symbol = yield* Schema.decode(Symbol)(url.pathname.slice(1))
    const quote = yield* readThrough(quotes, symbol, source(symbol))
    return Option.match(quote, {
      onNone: () => new Response("no such symbol", { status: 404 }),
      onSome: (found) => Response.json(found)
    })
  }).pipe(
    Effect.catchTag("ParseError", () =>
      Effect.succeed(new Response("a symbol is one to five capital letters", { status: 400 }))
    ),
    Effect.catchAllCause((cause) =>
      Effect.as(Effect.logError("no quote", cause), new Response("no quote just now", { status: 503 }))
    )
  )

export const makeWorker = (source: Source) => {
  const makeRuntime = (env: Env) => ManagedRuntime.make(Larder.layer(env, { collections: [quotes.collection] }))
  const runtimes = new WeakMap<Env, ReturnType<typeof makeRuntime>>()
  return {
    fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
      const runtime = runtimes.get(env) ?? makeRuntime(env)
      runtimes.set(env, runtime)
      const answered = answer(source, new URL(request.url))
      return runtime.runPromise(Effect.provide(answered, Larder.background(context)))
    }
  } satisfies ExportedHandler<Env>
}

export default makeWorker(sample)
