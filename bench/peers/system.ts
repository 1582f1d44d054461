/** A system in one isolate, over a namespace that all isolates share. */
export interface Isolate {
  readonly get: (key: string) => Promise<unknown>
  readonly put: (key: string, value: string) => Promise<unknown>
  readonly load: (key: string, load: () => Promise<string>) => Promise<unknown>
  readonly getMany: (keys: ReadonlyArray<string>) => Promise<unknown>
  readonly list: (prefix: string) => Promise<unknown>
  readonly add: (key: string) => Promise<unknown>
  /** What is done behind answers. */
  readonly settled: () => Promise<unknown>
}

export interface System {
  readonly name: string
  /** What a Worker imports for it, to be bundled. */
  readonly imports: string
  readonly open: (kv: KVNamespace) => Isolate | Promise<Isolate>
  /** Dollars for what is no operation of KV, so far. */
  readonly otherUsd?: (kv: KVNamespace) => number
  /** That it answers from nothing faster than the Cache API, which here is one in memory and tells no time. */
  readonly edgeOnly?: true
}

/** What a system does not have is done with the namespace itself, as its user would. */
export const over = (kv: KVNamespace, own: Pick<Isolate, "get" | "put"> & Partial<Isolate>): Isolate => ({
  load: async (key, load) => {
    const found = await own.get(key)
    if (found !== null && found !== undefined) return found
    const made = await load()
    await own.put(key, made)
    return made
  },
  getMany: (keys) => Promise.all(keys.map((key) => own.get(key))),
  list: (prefix) => kv.list({ prefix }),
  add: async (key) => own.put(key, String(Number((await own.get(key)) ?? 0) + 1)),
  settled: async () => {},
  ...own
})

/** What goes on behind the answers of one isolate. */
export const makeBehind = () => {
  let pending: Array<Promise<unknown>> = []
  return {
    waitUntil: (promise: Promise<unknown>): void => void pending.push(promise.catch(() => {})),
    settled: async (): Promise<void> => {
      while (pending.length > 0) {
        const waiting = pending
        pending = []
        await Promise.all(waiting)
      }
    }
  }
}

const spaces = new WeakMap<KVNamespace, string>()

/** The name of a namespace in the Cache API of its location, which all isolates there share. */
export const spaceOf = (kv: KVNamespace): string => {
  const space = spaces.get(kv) ?? crypto.randomUUID()
  spaces.set(kv, space)
  return space
}
