import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Topology from "../../../src/services/durable/model/Topology.ts"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"

const ids = ["a/1", "a/2", "a/𝄞", "a/\ue000", "b/1", "b/2"].sort(compareUtf8)

const told = fc.record({
  shard: fc.nat({ max: 2 }),
  through: fc.constantFrom("", ...ids),
  done: fc.boolean()
})

const first = { generation: 0, shards: 3 }
const to = { generation: 1, shards: 2 }

describe("a view of where keys are", () => {
  it("never goes back, in whatever order it is told, and ends at the new objects when all are through", () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 20 }), (all) => {
        let view = Topology.viewOf(first)
        for (const { done, shard, through } of all) {
          const before = view
          view = Topology.learn(view, { generation: 0, shard }, { to, through, done, complete: false })
          for (const id of ids) {
            if (Topology.placeOf(before, id).generation === 1)
              assert.strictEqual(Topology.placeOf(view, id).generation, 1)
            const heard = all
              .slice(
                0,
                all.indexOf(all.find((one) => one.shard === shard && one.through === through && one.done === done)!) + 1
              )
              .filter((one) => one.shard === Topology.ownerOf(first, id).shard)
            if (heard.some((one) => Topology.hasMoved(one, id))) {
              assert.deepStrictEqual(Topology.placeOf(view, id), Topology.ownerOf(to, id))
            }
          }
        }
        const through = new Set(all.filter(({ done }) => done).map(({ shard }) => shard))
        assert.deepStrictEqual(view.base, through.size === 3 ? to : first)
      })
    )
  })

  it("goes at once to where all keys are, when an object of long ago knows", () => {
    const last = { generation: 7, shards: 5 }
    const view = Topology.learn(
      Topology.viewOf(first),
      { generation: 0, shard: 1 },
      { to: last, through: "", done: true, complete: true }
    )
    assert.deepStrictEqual(view, Topology.viewOf(last))
    const late = { to, through: "b", done: false, complete: false }
    assert.strictEqual(Topology.learn(view, { generation: 0, shard: 0 }, late), view)
  })

  it("follows keys that move on from objects that they have just come to", () => {
    const next = { generation: 2, shards: 4 }
    let view = Topology.viewOf(first)
    view = Topology.learn(view, { generation: 0, shard: 0 }, { to, through: "", done: true, complete: false })
    view = Topology.learn(view, { generation: 1, shard: 1 }, { to: next, through: "a/2", done: false, complete: false })
    assert.deepStrictEqual([view.base, Topology.nextOf(view)], [to, next])
  })
})

describe("the name of an object", () => {
  it("is that of no other, in any generation", () => {
    const names = [0, 1, 2, 11].flatMap((generation) =>
      Topology.placesOf({ generation, shards: Topology.mostShards }).map(Topology.objectName)
    )
    assert.strictEqual(new Set(names).size, names.length)
    assert.strictEqual(Topology.objectName({ generation: 0, shard: 3 }), "shard-3")
  })
})
