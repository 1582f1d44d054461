import { isRateLimited } from "./platformError.ts"

/** KV takes one write a second to a key. */
const spacingMillis = 1000

interface Waiting<W> {
  write: W
  readonly done: Promise<void>
  readonly settle: (run: () => Promise<void>) => void
}

/**
 * One write at a time to a key. Writers that come meanwhile wait for the next one, which carries the last value: N writers
 * at once cost two writes at most. What requests share is a native promise of nothing; each waits with a timer of its
 * own, and writes by itself when the one it waits for does not end.
 *
 * @param perform makes one write; rejects with the platform's error
 * @param unordered called after a write that did not wait for the one before it
 * @param patienceMillis how long a caller waits for another request's write
 * @param attempts at one write, while KV refuses it for its rate
 */
export const makeWriteQueue = <W>(
  perform: (key: string, write: W) => Promise<void>,
  unordered: (write: W) => Promise<void>,
  patienceMillis: number,
  sleep: (millis: number) => Promise<void>,
  attempts: number
) => {
  const running = new Map<string, Promise<void>>()
  const next = new Map<string, Waiting<W>>()

  const persistently = async (key: string, write: W): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await perform(key, write)
      } catch (error) {
        if (attempt === attempts || !isRateLimited(error)) throw error
        await sleep(spacingMillis)
      }
    }
  }

  const lead = (key: string, write: W): Promise<void> => {
    const run = persistently(key, write).finally(() => {
      if (running.get(key) !== run) return
      running.delete(key)
      const waiting = next.get(key)
      if (waiting === undefined) return
      next.delete(key)
      waiting.settle(() => lead(key, waiting.write))
    })
    running.set(key, run)
    return run
  }

  const waitingFor = (key: string, write: W): Waiting<W> => {
    const known = next.get(key)
    if (known !== undefined) {
      known.write = write
      return known
    }
    let settle: Waiting<W>["settle"] = () => {}
    const done = new Promise<void>((resolve, reject) => {
      settle = (run) => void run().then(resolve, reject)
    })
    const waiting = { write, done, settle }
    next.set(key, waiting)
    return waiting
  }

  /** Settles when no write of the key is under way: one that waits is made by the event whose write it waits for. */
  const drained = async (key: string): Promise<void> => {
    for (let run = running.get(key); run !== undefined; run = running.get(key)) await run.then(ignore, ignore)
  }

  return {
    /** @param keepAlive keeps the event alive until the promise has settled */
    submit: async (key: string, write: W, keepAlive: (promise: Promise<unknown>) => void): Promise<void> => {
      if (!running.has(key)) {
        const run = lead(key, write)
        keepAlive(drained(key))
        return run
      }
      const waiting = waitingFor(key, write)
      const outcome = await Promise.race([waiting.done.then(() => true), sleep(patienceMillis).then(() => false)])
      if (outcome) return
      if (next.get(key) === waiting) next.delete(key)
      await lead(key, waiting.write)
      await unordered(waiting.write)
    }
  }
}

const ignore = (): void => {}
