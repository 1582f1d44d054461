// Time that passes as a workload says, for all that a system may read it from, and the Cache API of one location in that
// time. Imported before any system, so that none has taken the real clock for itself.

const RealDate = Date
const realNow = performance.now.bind(performance)
let passed = 0

/** Timers that wait, by their handle: what they do, and at which moment. */
const waiting = new Map<unknown, { readonly due: number; readonly fire: () => void }>()

/** A new request: timers of those before it are none of its own. */
export const beginRequest = (): void => waiting.clear()

/** Lets so many seconds pass at once, and fires the timers that would have ended meanwhile. */
export const passSeconds = (seconds: number): void => {
  passed += seconds * 1000
  for (const [handle, { due, fire }] of [...waiting]) {
    if (due > Date.now()) continue
    clearTimeout(handle as number)
    fire()
  }
}

class VirtualDate extends RealDate {
  constructor(...args: ReadonlyArray<unknown>) {
    super(...((args.length === 0 ? [RealDate.now() + passed] : args) as [number]))
  }

  static override now(): number {
    return RealDate.now() + passed
  }
}
globalThis.Date = VirtualDate as DateConstructor
performance.now = () => realNow() + passed

const realSetTimeout = setTimeout
const realClearTimeout = clearTimeout
globalThis.setTimeout = ((
  run: (...args: ReadonlyArray<unknown>) => void,
  millis = 0,
  ...args: ReadonlyArray<unknown>
) => {
  const fire = () => {
    waiting.delete(handle)
    run(...args)
  }
  const handle: unknown = realSetTimeout(fire, millis)
  waiting.set(handle, { due: Date.now() + millis, fire })
  return handle
}) as unknown as typeof setTimeout
globalThis.clearTimeout = ((handle: number) => {
  waiting.delete(handle)
  realClearTimeout(handle)
}) as typeof clearTimeout

/** Milliseconds that an answer may be kept, as a cache shared by a location reads it. */
const lifeOf = ({ headers }: Response): number => {
  const control = headers.get("cloudflare-cdn-cache-control") ?? headers.get("cache-control") ?? ""
  return Number(/max-age=(\d+)/.exec(control)?.[1] ?? 0) * 1000
}

const makeCache = (): Cache => {
  const kept = new Map<string, { readonly body: ArrayBuffer; readonly init: ResponseInit; readonly until: number }>()
  const urlOf = (request: RequestInfo | URL): string => (request instanceof Request ? request.url : String(request))
  return {
    match: async (request: RequestInfo) => {
      const found = kept.get(urlOf(request))
      return found === undefined || Date.now() >= found.until ? undefined : new Response(found.body, found.init)
    },
    put: async (request: RequestInfo, response: Response) => {
      const init = { status: response.status, headers: [...response.headers] }
      kept.set(urlOf(request), { init, body: await response.arrayBuffer(), until: Date.now() + lifeOf(response) })
    },
    delete: async (request: RequestInfo) => kept.delete(urlOf(request))
  } as unknown as Cache
}

let location = { default: makeCache(), named: new Map<string, Cache>() }

/** The location has forgotten what its Cache API held. */
export const forgetLocation = (): void => {
  location = { default: makeCache(), named: new Map() }
}

const standing = {
  get default(): Cache {
    return location.default
  },
  open: async (name: string): Promise<Cache> => {
    const cache = location.named.get(name) ?? makeCache()
    location.named.set(name, cache)
    return cache
  }
}
Object.defineProperty(globalThis, "caches", { value: standing, configurable: true })
