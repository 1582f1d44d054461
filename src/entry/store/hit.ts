import * as Effect from "effect/Effect"
import { brokenCondition, conditionsOf } from "../../services/base/model/Preconditions.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { Store } from "../../services/store/Store.ts"
import { type ApiKey, allows, authenticate } from "../http/authorize.ts"
import { decodedSegment } from "../http/parameters.ts"
import { Problem } from "../http/problem.ts"
import { sessionOf } from "../http/session.ts"
import * as Entries from "./entries.ts"

const prefix = "/api/v1/cache/"

/** Parameters, and what a URL parser would still have to tidy up. */
const takesTheLongWay = (url: string, path: number): boolean =>
  url.includes("?", path) || url.includes("#", path) || url.includes("/.", path)

/**
 * The shortest way through the hot route: a GET without parameters, by a key that may read, of an entry that memory
 * holds fresh, is answered without parsing a URL or starting a fiber. Whatever else it is, undefined: the long way
 * answers, and says what is wrong.
 */
export const make = (
  keys: ReadonlyArray<ApiKey>
): Effect.Effect<(request: Request) => Response | undefined, never, Store | Settings> =>
  Effect.map(Effect.all([Store, Settings, Effect.clock]), ([store, { collections }, clock]) => (request) => {
    if (request.method !== "GET") return undefined
    const { url } = request
    const path = url.indexOf("/", url.indexOf("//") + 2)
    if (!url.startsWith(prefix, path) || takesTheLongWay(url, path)) return undefined
    const name = path + prefix.length
    const slash = url.indexOf("/", name)
    if (slash === -1) return undefined
    const collection = collections.get(url.slice(name, slash))
    const key = decodedSegment(url.slice(slash + 1))
    if (collection === undefined || collection.application !== undefined || key === undefined) return undefined
    const caller = authenticate(keys, request.headers.get("X-API-KEY"))
    if (caller instanceof Problem || !allows(caller, "read", collection.name)) return undefined
    if (brokenCondition(conditionsOf(request.headers)) !== undefined) return undefined
    const now = clock.unsafeCurrentTimeMillis()
    const lookup = store.held(collection, key, now, sessionOf(request), Entries.acceptedBy(collection, request))
    return lookup && Entries.answer(request, lookup, now, now)
  })
