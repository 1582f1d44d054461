import type * as Context from "effect/Context"
import * as Answer from "../../services/http-cache/model/Answer.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import type { HttpCachePolicy } from "../../services/http-cache/model/HttpCachePolicy.ts"
import * as Preconditions from "../../services/http-cache/model/Preconditions.ts"
import { ofRequest } from "../../services/http-cache/model/RequestDirectives.ts"
import { verdict } from "../../services/http-cache/model/Reuse.ts"
import * as Selection from "../../services/http-cache/model/Selection.ts"
import { remaining } from "../../services/http-cache/model/StoredResponse.ts"
import type { ResponseStore } from "../../services/http-cache/ResponseStore.ts"

/**
 * The shortest way: a GET or HEAD that memory can answer fresh is answered without a fiber. Whatever else it is,
 * undefined, and the program decides by the same rules.
 */
export const make =
  (store: Context.Tag.Service<ResponseStore>, policy: HttpCachePolicy) =>
  (request: Request, now: number): Response | undefined => {
    const { headers, method, url } = request
    if (method !== "GET" && method !== "HEAD") return undefined
    const variants = store.held(policy.key(url), now)
    if (variants === undefined || variants.length === 0) return undefined
    const directives = ofRequest(headers)
    if (directives.noStore || Preconditions.isForOrigin(headers)) return undefined
    const stored = Selection.select(variants, headers)
    if (stored === undefined || verdict(stored, directives, now).use !== "serve") return undefined
    const want = Answer.wanted(stored, method, headers, now)
    if (want.kind === "more") return undefined
    const bytes = Answer.needsBody(stored, want, method) ? store.heldBody(stored, now) : null
    if (bytes === undefined) return undefined
    const status = CacheStatus.format(policy.name, { hit: "memory", ttl: remaining(stored, now) })
    return Answer.build(stored, want, bytes, { now, policy, status })
  }
