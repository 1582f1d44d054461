import * as Context from "effect/Context"
import type { Scope } from "./authorize.ts"

/** Annotates an endpoint: the scope its callers need. Without it, `read` for GET and `write` for every other method. */
export class Access extends Context.Tag("larder/Access")<Access, Scope | "public">() {}

/** Annotates an endpoint whose JSON body may be left out: it then counts as `{}`. */
export class BodyOptional extends Context.Tag("larder/BodyOptional")<BodyOptional, true>() {}
