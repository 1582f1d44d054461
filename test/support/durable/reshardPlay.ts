import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import * as Random from "../../../src/services/base/model/Random.ts"
import { type DurableCache, DurableCacheError, entriesOf } from "../../../src/services/durable/DurableCache.ts"
import type { ShardWrite, ShardWritten } from "../../../src/services/durable/Shard.ts"
import * as Stamper from "../../../src/services/store/Stamper.ts"
import { imageIn, loaded } from "../snapshots/wholeImages.ts"
import { type Asked, keys, type Plan, tags } from "./reshardScenario.ts"
import * as ReshardWorld from "./reshardWorld.ts"

const start = 1_700_000_000_000

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)

/** What a key may hold: one thing, or more while the outcome of something that failed is not known. */
type Model = Map<
  string,
  { readonly may: Set<string | undefined>; readonly tags: ReadonlyMap<string, ReadonlyArray<string>> }
>

/** Plays a plan in virtual time. Throws, with its trace, at the first rule that it breaks; counts what happened. */
export const run = (told: Plan, count: (what: string) => void): void => {
  const time = VirtualTime.make(start, told.seed)
  const trace: Array<string> = []
  const exit = time.run(play(told, trace, time.now, count))
  if (Exit.isFailure(exit)) throw new Error(`${Cause.pretty(exit.cause)}\n\n${trace.join("\n")}\n`)
}

const play = (told: Plan, trace: Array<string>, now: () => number, count: (what: string) => void) =>
  Effect.gen(function* () {
    const draw = Random.make(told.seed)
    const tell = (what: string) => trace.push(`${String(Math.floor(now()) - start).padStart(7)}  ${what}`)
    const skews = new Map<string, number>()
    let fair = false
    const isLost = () => !fair && told.losses > 0 && draw() * told.losses < 1
    const world = yield* ReshardWorld.make(told.first, {
      fate: () => ({
        kind: isLost() ? (draw() < 0.5 ? "before" : "after") : "done",
        there: draw() * draw() * 30,
        back: draw() * draw() * 30
      }),
      fault: () =>
        isLost()
          ? { kind: draw() < 0.5 ? "fail" : "lost", reason: draw() < 0.5 ? "RateLimited" : "Unavailable" }
          : undefined,
      skewOf: ({ generation, shard }) => {
        const name = `${generation}.${shard}`
        const skew = skews.get(name) ?? Math.round((2 * draw() - 1) * told.skew)
        skews.set(name, skew)
        return skew
      }
    })

    const model: Model = new Map(keys.map((key) => [key, { may: new Set([undefined]), tags: new Map() }]))
    const isolates = [world.isolate(), world.isolate()]
    const stampers = isolates.map((_, number) => Stamper.make(() => `w${number}`))
    let written = 0
    /** Writes that were acknowledged, and the keys that nothing but such writes have changed since. */
    const acknowledged: Array<ShardWrite> = []
    const ordered = new Set<string>()
    /** When the last invalidation of a tag ended, whatever became of it. */
    const invalidated = new Map<string, number>()

    const broken = (rule: string) => Effect.die(new Error(rule))

    const mayHold = (id: string, text: string | undefined, from: string) => {
      const { may } = model.get(id)!
      return may.has(text)
        ? Effect.void
        : broken(`${id} is ${text} by ${from}, and may be ${[...may].map(String).join(" or ")}`)
    }

    /** As the Store does it: once, and again when the reply was lost. */
    const send = (cache: DurableCache["Type"], write: ShardWrite) =>
      Effect.gen(function* () {
        let attempts = 0
        let result: ShardWritten | DurableCacheError
        do {
          const first = attempts === 0 ? { firstUntil: now() + 2000 } : {}
          result = (yield* cache.apply([{ ...write, ...first }]))[0]!
          attempts += 1
        } while (result instanceof DurableCacheError && result.reason === "Unavailable" && attempts < 2)
        return { result, attempts }
      })

    const settle = (
      write: ShardWrite,
      own: ReadonlyArray<string>,
      sent: Effect.Effect.Success<ReturnType<typeof send>>
    ) =>
      Effect.sync(() => {
        const { id } = write
        const text = textOf(write.body?.value)
        const known = model.get(id)!
        const { attempts, result } = sent
        const tags = new Map(known.tags).set(text ?? "", own)
        if (result instanceof DurableCacheError) {
          tell(`  ${id}: ${result.reason} after ${attempts}`)
          count(`write ${result.reason}`)
          if (result.reason === "Moving" && attempts === 1) return
          model.set(id, { may: new Set([...known.may, text]), tags })
          return
        }
        count(`write ${result.outcome}`)
        tell(`  ${id}: ${result.outcome}`)
        if (result.outcome === "applied") {
          acknowledged.push(write)
          ordered.add(id)
        }
        if (result.outcome === "overtaken") return
        if (result.outcome === "ended") {
          acknowledged.push(write)
          model.set(id, { may: new Set([undefined]), tags })
          return
        }
        // A resend counts by its own stamp: an invalidation before it may have ended it, by a clock that is ahead.
        const isLatest = (tag: string) => write.stamp.wall > (invalidated.get(tag) ?? 0) + told.skew + 10
        model.set(id, { may: new Set(attempts === 1 || own.every(isLatest) ? [text] : [text, undefined]), tags })
      })

    const readAll = (cache: DurableCache["Type"], from: string) =>
      Effect.matchEffect(entriesOf(cache, keys), {
        onFailure: (error) => Effect.sync(() => count(`read ${error.reason}`)),
        onSuccess: (entries) => {
          count("read done")
          return Effect.forEach(entries, (entry, index) => mayHold(keys[index]!, textOf(entry?.value), from))
        }
      })

    const listAll = (cache: DurableCache["Type"], prefix: string, limit: number) =>
      Effect.gen(function* () {
        const listed: Array<string> = []
        for (let after: string | undefined; ; after = listed.at(-1)) {
          const page = yield* cache.list(prefix, after, limit)
          listed.push(...page.map(({ id }) => id))
          if (page.length < limit) break
        }
        for (const id of keys) {
          const { may } = model.get(id)!
          if (!id.startsWith(prefix)) continue
          if (!may.has(undefined) && !listed.includes(id)) yield* broken(`${id} is not listed`)
          if (may.size === 1 && may.has(undefined) && listed.includes(id)) yield* broken(`${id} is listed`)
        }
        if (new Set(listed).size !== listed.length) yield* broken(`listed twice: ${listed.join()}`)
        count("list done")
      })

    const ask = (isolate: number, asked: Asked): Effect.Effect<unknown, DurableCacheError> =>
      Effect.suspend((): Effect.Effect<unknown, DurableCacheError> => {
        const cache = isolates[isolate]!
        tell(`isolate ${isolate}: ${JSON.stringify(asked)}`)
        const stamp = stampers[isolate]!.next(Math.floor(now()))
        const bodyOf = (text: string, tags: ReadonlyArray<string>) => ({
          value: bytes(text),
          contentType: "text/plain",
          tags,
          expiresAt: Number.POSITIVE_INFINITY,
          loadMillis: 0
        })
        switch (asked._) {
          case "set": {
            const [id, text] = [keys[asked.key]!, String(written++)]
            const write = { id, stamp, body: bodyOf(text, asked.tags) }
            return Effect.flatMap(send(cache, write), (sent) => settle(write, asked.tags, sent))
          }
          case "delete": {
            const id = keys[asked.key]!
            const write = { id, stamp, body: undefined }
            return Effect.flatMap(send(cache, write), (sent) => settle(write, [], sent))
          }
          case "fill": {
            const [id, text] = [keys[asked.key]!, String(written++)]
            return Effect.flatMap(cache.lease(id, Duration.seconds(1)), (leased) => {
              count(`lease ${leased._tag}`)
              if (leased._tag === "Found") return mayHold(id, textOf(leased.entry.value), "a lease")
              if (leased._tag === "Busy") return Effect.void
              const write = { id, stamp, body: bodyOf(text, []), lease: leased.lease }
              return Effect.flatMap(cache.apply([write]), ([result]) =>
                settle(write, [], { result: result!, attempts: 1 })
              )
            })
          }
          case "late": {
            const known = acknowledged[asked.pick % Math.max(1, acknowledged.length)]
            if (known === undefined || !ordered.has(known.id)) return Effect.void
            const { body, id, stamp } = known
            return Effect.map(cache.apply([{ body, id, stamp }]), ([result]) => {
              count(`late ${result instanceof DurableCacheError ? result.reason : result!.outcome}`)
            })
          }
          case "read":
            return readAll(cache, `isolate ${isolate}`)
          case "list":
            return listAll(cache, draw() < 0.5 ? "" : "a/", 1 + Math.floor(draw() * 4))
          case "cold":
            isolates[isolate] = world.isolate()
            return Effect.void
          case "invalidate": {
            const tag = tags[asked.tag]!
            return Effect.map(Effect.exit(cache.invalidateTags([tag], stamp)), (exit) => {
              tell(`  ${exit._tag}`)
              count(`invalidate ${exit._tag}`)
              invalidated.set(tag, now())
              for (const [id, known] of model) {
                const ended = [...known.may].filter((text) => text !== undefined && known.tags.get(text)!.includes(tag))
                if (ended.length === 0) continue
                ordered.delete(id)
                const may = new Set(known.may).add(undefined)
                if (Exit.isSuccess(exit)) for (const text of ended) may.delete(text)
                model.set(id, { ...known, may })
              }
            })
          }
          case "clear":
            return Effect.map(Effect.exit(cache.clear(asked.prefix, stamp)), (exit) => {
              tell(`  ${exit._tag}`)
              count(`clear ${exit._tag}`)
              for (const [id, known] of model) {
                if (!id.startsWith(asked.prefix)) continue
                ordered.delete(id)
                model.set(id, {
                  ...known,
                  may: Exit.isSuccess(exit) ? new Set([undefined]) : new Set(known.may).add(undefined)
                })
              }
            })
          default: {
            const names = [...world.objects.keys()]
            const name = names[asked.object % names.length]!
            tell(`  ${name}`)
            return asked._ === "restart" ? world.restart(name) : world.goOn(name)
          }
        }
      })

    /** The operator who changes the number: stopped at any moment, and sent again. */
    const drive = Effect.gen(function* () {
      for (const shards of told.targets) {
        for (let rounds = 0; ; rounds++) {
          yield* Effect.sleep(draw() * 200)
          const patience = fair ? 60_000 : draw() * 400
          const done = yield* world
            .reshard({ shards, operations: fair ? 900 : Math.floor(draw() * 30) })
            .pipe(Effect.timeout(patience), Effect.either)
          tell(`reshard to ${shards}: ${done._tag === "Right" ? JSON.stringify(done.right) : done.left._tag}`)
          count(`reshard ${done._tag === "Right" ? done.right.complete : done.left._tag}`)
          if (done._tag === "Left" && done.left._tag === "ReshardError") yield* broken("a reshard was refused")
          if (done._tag === "Right" && done.right.complete) break
          if (rounds > 200) yield* broken("a reshard never ends")
        }
      }
    })

    const driving = yield* Effect.fork(drive)
    for (const { asked, isolate, wait } of told.steps) {
      yield* Effect.sleep(wait)
      yield* Effect.catchAll(ask(isolate, asked), (error) => Effect.sync(() => count(`${asked._} ${error.reason}`)))
    }
    fair = true
    yield* Effect.flatMap(Effect.fromFiber(driving), Effect.succeed)
    tell("all is well, and all has moved")
    for (const cache of [...isolates, world.isolate()]) {
      yield* readAll(cache, "a last look")
      yield* listAll(cache, "", 2)
    }
    const last = told.targets.at(-1)!
    const cold = world.isolate()
    yield* cold.getMany(["a/1"])
    const stats = (yield* cold.stats).shards
    if (stats.length !== last) yield* broken(`there are ${stats.length} shards, not ${last}`)
    const current = Math.max(...[...world.objects.values()].map(({ shard }) => shard.seal()?.to.generation ?? 0))
    for (const [name, { shard }] of world.objects) {
      const isOld = shard.seal() !== undefined
      if (isOld && imageIn(shard).rows.length > 0) yield* broken(`${name} has kept rows`)
      if (isOld && ((yield* loaded(world.snapshots, name))?.rows.length ?? 0) > 0)
        yield* broken(`${name} has kept a snapshot`)
    }
    if (current > 0) {
      const { seal } = [...world.objects.values()].map(({ shard }) => ({ seal: shard.seal() }))[0]!
      if (seal?.complete !== true || seal.to.generation !== current)
        yield* broken("the first object knows not where all is")
    }
    for (const id of keys) {
      const [result] = yield* cold.apply([
        {
          id,
          stamp: stampers[0]!.next(Math.floor(now())),
          firstUntil: now() + 1000,
          body: { value: bytes("end"), contentType: "", tags: [], expiresAt: Number.POSITIVE_INFINITY, loadMillis: 0 }
        }
      ])
      if (result instanceof DurableCacheError || result!.outcome === "overtaken") yield* broken(`${id} takes no write`)
    }
  })
