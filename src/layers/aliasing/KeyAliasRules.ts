import * as Layer from "effect/Layer"
import { type AliasStats, KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import { aliasOf } from "../../services/aliasing/model/CollectionAlias.ts"
import type { AliasRule, Applied } from "../../services/store/model/AliasRule.ts"
import { makeAliasLearning } from "./internal/aliasLearning.ts"

/** The rules that collections declare, counted; what might be rules besides, learned. */
export const make = (): KeyAlias["Type"] => {
  const learning = makeAliasLearning()
  const counts = new Map<string, Count>()

  /** Rules may be declared anew under the same name: they count anew. */
  const countOf = (name: string, rules: Count["rules"]): Count => {
    let count = counts.get(name)
    if (count?.rules !== rules) {
      const applied = new Array<number>(rules.length).fill(0)
      count = {
        rules,
        applied,
        changed: 0,
        add: (rule) => {
          applied[rule] = applied[rule]! + 1
        }
      }
      counts.set(name, count)
    }
    return count
  }

  return {
    canonical: (collection, key, now) => aliasOf(collection)?.canonical(key, now) ?? key,
    count: (collection, key, now) => {
      const alias = aliasOf(collection)
      if (alias === undefined) return
      const count = countOf(collection.name, alias.rules)
      if (alias.canonical(key, now, count.add) !== key) count.changed += 1
    },
    observe: ({ name }, key, value) => learning.observe(name, key, value),
    stats: () => {
      const byCollection: Record<string, AliasStats["byCollection"][string]> = {}
      for (const [name, { applied, changed, rules }] of counts) {
        byCollection[name] = { changed, rules: rules.map((rule, index) => ({ rule, applied: applied[index]! })) }
      }
      return { byCollection, suggestions: learning.suggestions() }
    }
  }
}

interface Count {
  readonly rules: ReadonlyArray<AliasRule>
  readonly applied: Array<number>
  changed: number
  readonly add: Applied
}

export const layer: Layer.Layer<KeyAlias> = Layer.sync(KeyAlias, make)
