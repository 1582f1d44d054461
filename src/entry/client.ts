import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { api } from "./api.ts"

/**
 * The typed client of a Larder Worker, over whatever `HttpClient` it is given: `FetchHttpClient.layer`, or that layer
 * with a service binding's `fetch` as its `FetchHttpClient.Fetch`. Refusals fail with `Problem`. Keys are encoded for
 * the path here; `withResponse: true` also gives the response, for its headers.
 */
export const make = (options: { readonly baseUrl: string | URL; readonly apiKey: Redacted.Redacted<string> }) =>
  HttpApiClient.make(api, {
    baseUrl: options.baseUrl,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("X-API-KEY", Redacted.value(options.apiKey)))
  })

export type Client = Effect.Effect.Success<ReturnType<typeof make>>
