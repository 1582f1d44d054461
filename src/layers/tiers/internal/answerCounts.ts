import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Tier } from "../../../services/store/Store.ts"

type Answers = Record<Tier, number>

const none = (): Answers => ({ static: 0, memory: 0, edge: 0, durable: 0, kv: 0, loader: 0 })

/** Who answered how many reads, in all and by collection. A hit allocates nothing here. */
export const makeAnswerCounts = () => {
  const answered = none()
  const byCollection = new Map<string, Answers>()
  return {
    count: ({ name }: Collection, tier: Tier): void => {
      let own = byCollection.get(name)
      if (own === undefined) {
        own = none()
        byCollection.set(name, own)
      }
      own[tier] += 1
      answered[tier] += 1
    },
    stats: () => ({ answered: { ...answered }, byCollection: Object.fromEntries(structuredClone(byCollection)) })
  }
}
