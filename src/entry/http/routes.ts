import * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import { Access, BodyOptional } from "./apiAccess.ts"
import type { Scope } from "./authorize.ts"

/** What must be known of an endpoint before its body is touched. */
export interface Endpoint {
  /** Of the contract: a route of GET answers HEAD, too. */
  readonly method: string
  readonly access: Scope | "public"
  /** Names of its parameters in the query. */
  readonly parameters: ReadonlySet<string>
  /** Whether it takes a JSON body. */
  readonly json: boolean | "optional"
}

export interface Route {
  /** As in OpenAPI: `/api/v1/cache/{collection}`. */
  readonly path: string
  /** As its contract writes it: `/api/v1/cache/:collection`. */
  readonly declared: string
  /** Its groups are the parameters of the path, in order. */
  readonly pattern: RegExp
  readonly names: ReadonlyArray<string>
  readonly methods: ReadonlyMap<string, Endpoint>
}

/** Every path of a contract with its methods, those without parameters first, as they win over the others. */
export const routesOf = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): ReadonlyArray<Route> => {
  const paths = new Map<string, Map<string, Endpoint>>()
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint, mergedAnnotations, payloads }) => {
      const methods = paths.get(endpoint.path) ?? new Map<string, Endpoint>()
      const read = endpoint.method === "GET" || endpoint.method === "HEAD"
      const described: Endpoint = {
        method: endpoint.method,
        access: Context.getOption(mergedAnnotations, Access).pipe((it) =>
          it._tag === "Some" ? it.value : read ? "read" : "write"
        ),
        parameters: new Set(
          Option.match(endpoint.urlParamsSchema, {
            onNone: () => [],
            onSome: ({ ast }) => AST.getPropertySignatures(AST.encodedAST(ast)).map(({ name }) => String(name))
          })
        ),
        json:
          !read &&
          payloads.has("application/json") &&
          (Option.isSome(Context.getOption(mergedAnnotations, BodyOptional)) ? "optional" : true)
      }
      methods.set(endpoint.method, described)
      if (endpoint.method === "GET" && !methods.has("HEAD")) methods.set("HEAD", described)
      paths.set(endpoint.path, methods)
    }
  })
  const routes = [...paths].map(
    ([path, methods]): Route => ({
      path: path.replace(/:(\w+)/g, "{$1}").replace(/\*$/, "{key}"),
      declared: path,
      pattern: new RegExp(`^${path.replace(/[.+]/g, "\\$&").replace(/:\w+/g, "([^/]+)").replace(/\*$/, "(.+)")}$`),
      names: [...path.matchAll(/:(\w+)|\*$/g)].map(([, name = "key"]) => name),
      methods
    })
  )
  const parameters = (route: Route): number => route.path.split("{").length
  return routes.sort((a, b) => parameters(a) - parameters(b))
}

export const find = (routes: ReadonlyArray<Route>, path: string): Route | undefined =>
  routes.find((route) => route.pattern.test(path))

/** The parameters of a path that the route has, decoded; the path's percent escapes are UTF-8. */
export const parametersOf = ({ names, pattern }: Route, path: string): Readonly<Record<string, string>> => {
  const [, ...values] = pattern.exec(path) ?? []
  return Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(values[i] ?? "")]))
}
