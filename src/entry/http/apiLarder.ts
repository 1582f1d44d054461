import * as HttpApi from "@effect/platform/HttpApi"
import { refusal } from "./apiProblem.ts"

/** The contract that every group of routes is added to: what any request may be refused with. */
export const larder = HttpApi.make("larder")
  .addError(refusal(400, "a key, a parameter, a header or the JSON is not valid"))
  .addError(refusal(401, "no API key, or a wrong one"))
  .addError(refusal(403, "the API key lacks the scope, or the collection belongs to an application"))
  .addError(refusal(429, "over a rate or an allowance: `Retry-After` says when to try again"))
  .addError(refusal(500, "our mistake"))
  .addError(refusal(503, "no tier could answer, or no store took the write: `Retry-After`"))
