import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { type Problem, problem } from "./problem.ts"

// Contracts are HttpApi's: the document and the client are made of them. Serving them takes no router, no body parsers
// and no streams here, so that HttpApi's own server, a sixth of the bundle, stays out of it.

/** The request that is being answered, as the runtime gave it. */
export class WebRequest extends Context.Tag("larder/WebRequest")<WebRequest, Request>() {}

/** What of a request is not as its contract says. */
export class Misfits extends Data.TaggedError("Misfits")<{
  readonly issues: ReadonlyArray<{ readonly path: ReadonlyArray<PropertyKey>; readonly message: string }>
}> {}

export const misfitsOf = (error: ParseResult.ParseError): Misfits =>
  new Misfits({ issues: ParseResult.ArrayFormatter.formatErrorSync(error) })

type Endpoint = HttpApiEndpoint.HttpApiEndpoint.Any
type Named<Endpoints extends Endpoint, Name extends string> = HttpApiEndpoint.HttpApiEndpoint.WithName<Endpoints, Name>

/** A request, and what its contract makes of it: `path`, `urlParams`, `payload`, `headers`, where it has them. */
export type Asked<E extends Endpoint> = Omit<HttpApiEndpoint.HttpApiEndpoint.Request<E>, "request"> & {
  readonly request: Request
}

type Handler<E extends Endpoint, A, Failure, R> = (
  asked: A
) => Effect.Effect<
  HttpApiEndpoint.HttpApiEndpoint.Success<E> | Response,
  HttpApiEndpoint.HttpApiEndpoint.Error<E> | Failure | Misfits,
  R
>

/** The handlers of a group as far as they are there: `Left` are the endpoints that still want one. */
export interface Handlers<Failure, Left extends Endpoint, R = never> {
  readonly handled: ReadonlyArray<Handled>
  readonly needs?: { readonly left: Left; readonly services: R }
  /** Answers with what the contract calls its success, or with a response of its own. */
  handle<const Name extends HttpApiEndpoint.HttpApiEndpoint.Name<Left>, R1>(
    name: Name,
    handler: Handler<Named<Left, Name>, Asked<Named<Left, Name>>, Failure, R1>
  ): Handlers<Failure, HttpApiEndpoint.HttpApiEndpoint.ExcludeName<Left, Name>, R | R1>
  /** The same, and reads the body of the request itself. */
  handleRaw<const Name extends HttpApiEndpoint.HttpApiEndpoint.Name<Left>, R1>(
    name: Name,
    handler: Handler<Named<Left, Name>, Omit<Asked<Named<Left, Name>>, "payload">, Failure, R1>
  ): Handlers<Failure, HttpApiEndpoint.HttpApiEndpoint.ExcludeName<Left, Name>, R | R1>
}

type Complete<Return> =
  Return extends Handlers<infer _, infer Left, infer __>
    ? [Left] extends [never]
      ? Return
      : `without a handler: ${HttpApiEndpoint.HttpApiEndpoint.Name<Left>}`
    : Return extends Effect.Effect<infer A, infer _, infer __>
      ? Complete<A> extends A
        ? Return
        : Complete<A>
      : "this returns no handlers"

type ErrorOf<Return> = Return extends Effect.Effect<infer _, infer E, infer __> ? E : never

type ServicesOf<Return> =
  Return extends Handlers<infer _, infer __, infer R>
    ? R
    : Return extends Effect.Effect<Handlers<infer _, infer __, infer R>, infer ___, infer RX>
      ? R | RX
      : never

/** One endpoint, ready to answer. */
export interface Handled {
  readonly method: string
  readonly path: string
  readonly answer: (
    request: Request,
    parameters: Readonly<Record<string, string>>,
    url: URL
  ) => Effect.Effect<Response, unknown, unknown>
}

const prefix = "larder/handlers/"

/** The handlers of one group, for {@link handledOf}. */
export const group = <
  Id extends string,
  Groups extends HttpApiGroup.HttpApiGroup.Any,
  Failure,
  R,
  const Name extends HttpApiGroup.HttpApiGroup.Name<Groups>,
  Return
>(
  api: HttpApi.HttpApi<Id, Groups, Failure, R>,
  name: Name,
  build: (
    handlers: Handlers<
      Failure | HttpApiGroup.HttpApiGroup.ErrorWithName<Groups, Name>,
      HttpApiGroup.HttpApiGroup.EndpointsWithName<Groups, Name>
    >
  ) => Complete<Return>
): Layer.Layer<never, ErrorOf<Return>, Exclude<ServicesOf<Return>, WebRequest>> => {
  const { endpoints } = api.groups[name] as unknown as HttpApiGroup.HttpApiGroup.AnyWithProps
  const built = build(handlersFor(endpoints, []) as never) as Handlers<unknown, never> | Effect.Effect<unknown>
  const layer = Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const { handled } = (Effect.isEffect(built) ? yield* built : built) as Handlers<unknown, never>
    const answering = handled.map(
      (one): Handled => ({
        ...one,
        answer: (...asked) =>
          Effect.mapInputContext(one.answer(...asked), (input: Context.Context<unknown>) =>
            Context.merge(context, input)
          )
      })
    )
    return Context.unsafeMake<never>(new Map([[`${prefix}${name}`, answering]]))
  })
  return Layer.effectContext(layer) as unknown as ReturnType<typeof group<Id, Groups, Failure, R, Name, Return>>
}

/** All handlers of the groups that were built into this context. */
export const handledOf = (context: Context.Context<never>): ReadonlyArray<Handled> =>
  [...context.unsafeMap].flatMap(([key, value]) => (key.startsWith(prefix) ? (value as ReadonlyArray<Handled>) : []))

type AnyEndpoint = HttpApiEndpoint.HttpApiEndpoint.AnyWithProps
type AnyHandler = (asked: unknown) => Effect.Effect<unknown, unknown, unknown>

const handlersFor = (endpoints: Record<string, AnyEndpoint>, handled: ReadonlyArray<Handled>) => {
  const having = (reads: boolean) => (name: string, handler: AnyHandler) =>
    handlersFor(endpoints, [...handled, handledBy(endpoints[name]!, handler, reads)])
  return { handled, handle: having(true), handleRaw: having(false) }
}

const handledBy = (endpoint: AnyEndpoint, handler: AnyHandler, reads: boolean): Handled => {
  const path = decoderOf(endpoint.pathSchema)
  const urlParams = decoderOf(endpoint.urlParamsSchema)
  const payload = decoderOf(endpoint.payloadSchema)
  const lists = endpoint.urlParamsSchema._tag === "None" ? noLists : listsOf(endpoint.urlParamsSchema.value.ast)
  return {
    method: endpoint.method,
    path: endpoint.path,
    answer: (request, parameters, url) =>
      Effect.gen(function* () {
        const asked: Record<string, unknown> = { request }
        if (path !== undefined) asked.path = yield* path(parameters)
        if (payload !== undefined && reads) asked.payload = yield* payload(yield* json(request))
        if (urlParams !== undefined) asked.urlParams = yield* urlParams(queryOf(url, lists))
        return responseOf(endpoint, yield* handler(asked))
      })
  }
}

const decoderOf = (schema: Option.Option<Schema.Schema.All>) => {
  if (schema._tag === "None") return undefined
  const decode = Schema.decodeUnknownEither(schema.value as Schema.Schema<unknown>)
  return (value: unknown) => Either.mapLeft(decode(value), misfitsOf)
}

const json = (request: Request): Effect.Effect<unknown, Problem> =>
  Effect.flatMap(
    Effect.promise(() => request.text()),
    (text) =>
      Effect.try({
        try: () => JSON.parse(text),
        catch: () => problem("bad-json", "the body is not JSON in UTF-8")
      })
  )

const noLists: ReadonlySet<PropertyKey> = new Set()

/** The parameters that may be given more than once. */
const listsOf = (ast: AST.AST): ReadonlySet<PropertyKey> =>
  new Set(
    AST.getPropertySignatures(AST.encodedAST(ast)).flatMap(({ name, type }) =>
      AST.isTupleType(type) || (AST.isUnion(type) && type.types.some(AST.isTupleType)) ? [name] : []
    )
  )

const queryOf = ({ searchParams }: URL, lists: ReadonlySet<PropertyKey>): Record<string, unknown> => {
  const query: Record<string, unknown> = {}
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name)
    query[name] = values.length === 1 && !lists.has(name) ? values[0] : values
  }
  return query
}

/** The response that the contract describes for this value. */
const responseOf = ({ successSchema }: AnyEndpoint, value: unknown): Response => {
  if (value instanceof Response) return value
  const schemas = new Set<Schema.Schema.Any>()
  HttpApiSchema.deunionize(schemas, successSchema)
  let failure: unknown
  for (const schema of schemas) {
    const status = HttpApiSchema.getStatusSuccess(schema)
    if (HttpApiSchema.isVoid(schema.ast)) return new Response(null, { status })
    const encoded = Schema.encodeUnknownEither(schema as Schema.Schema<unknown>)(value)
    if (Either.isRight(encoded)) {
      const { contentType, kind } = HttpApiSchema.getEncoding(schema.ast)
      const body = kind === "Json" ? JSON.stringify(encoded.right) : (encoded.right as BodyInit)
      return new Response(body, { status, headers: { "Content-Type": contentType } })
    }
    failure = encoded.left
  }
  throw failure
}
