import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import { defaultPolicy, type HttpCachePolicy } from "./model/HttpCachePolicy.ts"

/** The operator's choices, for the programs of this room. */
export class HttpCacheSettings extends Context.Reference<HttpCacheSettings>()("larder/HttpCacheSettings", {
  defaultValue: (): { readonly policy: HttpCachePolicy; readonly patience: Duration.DurationInput } => ({
    policy: defaultPolicy,
    patience: "10 seconds"
  })
}) {}
