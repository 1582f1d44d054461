/** Hits that wait to be learned from, at most; more than that go by unlearned. */
const capacity = 256

/**
 * What was answered on the synchronous hot path, written down there in three stores and learned from with the next read
 * that is not: a hit must not wait for the learning.
 */
export const makeHitNotes = (learn: (session: string, id: string, at: number) => void) => {
  const sessions: Array<string> = []
  const collections: Array<string> = []
  const keys: Array<string> = []
  const times = new Float64Array(capacity)
  let length = 0
  let lost = 0
  return {
    write: (session: string, collection: string, key: string, now: number): void => {
      if (length === capacity) {
        lost += 1
        return
      }
      sessions[length] = session
      collections[length] = collection
      keys[length] = key
      times[length++] = now
    },
    drain: (): void => {
      for (let i = 0; i < length; i++) learn(sessions[i]!, `${collections[i]!}/${keys[i]!}`, times[i]!)
      length = 0
    },
    lost: () => lost
  }
}
