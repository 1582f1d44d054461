import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Miniflare } from "miniflare"
import { make } from "../../src/services/base/model/Random.ts"
import { shardOf } from "../../src/services/durable/Shard.ts"
import { deployed, objectsIn } from "../support/deployed.ts"
import { bundle } from "../support/miniflare.ts"
import type { Fault, Faults, Kind } from "./faultyWorker.ts"
import { type Left, Model } from "./model.ts"

// Real workerd under write load is killed (SIGKILL) at random, often in the middle of a flush, while KV refuses reads,
// writes, deletes and lists at random, and while single objects lose their disks; before every third start all of them
// do. After each restart every write that was acknowledged as stored must read back from its shard, or a later one that
// was on its way; of a disk that was lost, every one that was acknowledged before the last completed flush began.
// npm run test:kill [kills, default 50] [seed]

const kills = Number(process.argv[2] ?? 50)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000)
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run test:kill -- [kills, a whole number from 1] [seed]")
  process.exit(2)
}
const random = make(seed)
const contended = 200
const writers = 16
const headers = { "X-API-KEY": "test" }
const state = mkdtempSync(join(tmpdir(), "larder-kill-"))
const script = await bundle(new URL("faultyWorker.ts", import.meta.url))
const model = new Model()
const shards = 2

const some = <A>(of: ReadonlyArray<A>): A => of[Math.floor(random() * of.length)]!

/** Each kind of operation fails a third of the time, in one way or another. */
const drawn = (): Faults => {
  const kinds: ReadonlyArray<Kind> = ["get", "put", "delete", "list"]
  const faults: ReadonlyArray<Fault> = ["limit", "storm", "broken", "lost"]
  return Object.fromEntries(kinds.flatMap((kind) => (random() < 1 / 3 ? [[kind, some(faults)]] : [])))
}

const open = (faults: Faults): Miniflare =>
  deployed(
    script,
    {
      FEATURE_FLAG_DO_CACHE: "on",
      SHARDS: `${shards}`,
      KV_FAULTS: JSON.stringify(faults),
      // On a machine however busy: nothing is kept outside its shard for being slow.
      DURABLE_DEADLINE: "60 seconds",
      COLLECTIONS: '{"raw": {"memoryTtl": 0, "edgeTtl": 0, "negativeTtl": 0, "ttl": "forever"}}'
    },
    state
  )

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const workerds = (): ReadonlyArray<number> => {
  try {
    return execFileSync("pgrep", ["-P", `${process.pid}`, "workerd"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number)
  } catch {
    return []
  }
}

/** Whether a write was acknowledged as stored; no answer is none. */
const write = async (origin: URL, key: string, left: Left): Promise<boolean> => {
  const url = new URL(`/api/v1/cache/raw/${key}`, origin)
  const answer = await fetch(
    url,
    left === "absent" ? { method: "DELETE", headers } : { method: "PUT", headers, body: `${left}` }
  ).catch(() => undefined)
  const whole = await answer?.arrayBuffer().then(
    () => true,
    () => false
  )
  // 202: kept outside its shard, whose disk was being destroyed. When it takes effect there is not known.
  return whole === true && (answer?.status === 201 || answer?.status === 204)
}

/** Each writer has its own keys and waits for each answer. */
const load = async (origin: URL, writer: number, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    const number = model.next()
    const isOnce = random() < 0.5
    const own = writer + writers * Math.floor(random() * Math.floor((contended - writer - 1) / writers + 1))
    const key = isOnce ? `s${number}` : `k${own}`
    const left: Left = !isOnce && random() < 0.3 ? "absent" : number
    const acknowledged = model.sent(key, left)
    if (await write(origin, key, left)) acknowledged()
  }
}

const post = (origin: URL, path: string, body?: unknown): Promise<Response> =>
  fetch(new URL(`/api/v1/${path}`, origin), {
    method: "POST",
    headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })

/** Flushes again and again, so that a kill meets snapshots half written. */
const flush = async (origin: URL, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    if (await flushOnce(origin)) flushes += 1
    await pause(random() * 200)
  }
}

const flushOnce = async (origin: URL): Promise<boolean> => {
  const flushing = model.flush()
  const answer = await post(origin, "admin/flush").catch(() => undefined)
  const isComplete = answer?.status === 200 && (await answer.text().catch(() => undefined)) !== undefined
  if (isComplete) flushing.completed()
  else flushing.failed()
  return isComplete
}

const setFaults = (origin: URL, faults: Faults): Promise<unknown> =>
  fetch(new URL("/kv-faults", origin), { method: "PUT", body: JSON.stringify(faults) })

/** KV fails otherwise all the time, and objects lose their disks. */
const fail = async (origin: URL, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    await setFaults(origin, random() < 0.4 ? {} : drawn()).catch(() => undefined)
    await pause(random() * 300)
    if (random() > 0.15) continue
    const shard = Math.floor(random() * shards)
    const destroyed = model.destroy((key) => shardOf(`raw/${key}`, shards) === shard)
    await fetch(new URL(`/destroy?shard=${shard}`, origin)).catch(() => undefined)
    destroyed()
    disksLost += 1
  }
}

/** All is well with KV again: what is outside comes to the objects, and they know what they held. */
const heal = async (origin: URL): Promise<void> => {
  await setFaults(origin, {})
  for (let tries = 0; ; tries++) {
    const answer = await post(origin, "admin/restore")
    const text = await answer.text()
    if (answer.status === 200) return
    if (tries === 20) throw new Error(`a restore while KV is well: ${text}`)
    await pause(500)
  }
}

interface Got {
  readonly key: string
  readonly status: number
  readonly tier?: string
  readonly value?: unknown
  readonly base64?: string
}

/** Reads everything from the shards. */
const check = async (origin: URL, when: string): Promise<void> => {
  const wrongs: Array<string> = []
  const keys = model.names()
  for (let from = 0; from < keys.length; from += 1000) {
    const answer = await post(origin, "cache/raw/batch", { get: keys.slice(from, from + 1000) })
    if (!answer.ok) throw new Error(`${when}: ${await answer.text()}`)
    for (const { base64, key, status, tier, value } of ((await answer.json()) as { get: ReadonlyArray<Got> }).get) {
      const text = base64 === undefined ? `${value}` : Buffer.from(base64, "base64").toString()
      const wrong =
        tier !== "durable" || (status !== 200 && status !== 404)
          ? `${key}: ${status} from ${tier}`
          : model.found(key, status === 404 ? "absent" : Number(text))
      if (wrong !== undefined) wrongs.push(wrong)
    }
  }
  if (wrongs.length > 0) throw new Error(`${when} (seed ${seed}):\n${wrongs.join("\n")}`)
}

let flushes = 0
let disksLost = 0
let survived = 0

/** All objects lose their disks while nothing runs. */
const loseAll = (): void => {
  const lost = model.destroy(() => true)
  rmSync(objectsIn(state), { recursive: true, force: true })
  lost()
  disksLost += shards
}

try {
  for (let kill = 1; kill <= kills; kill++) {
    if (kill % 3 === 0) loseAll()
    const worker = open(kill % 2 === 0 ? drawn() : {})
    const origin = await worker.ready
    let over = false
    const isOver = () => over
    const busy = Array.from({ length: writers }, (_, writer) => load(origin, writer, isOver))
    // Sometimes before it is known what there was.
    if (kill % 4 !== 0) await pause(random() * 300)
    else await pause(1000)
    busy.push(flush(origin, isOver), fail(origin, isOver))
    await pause(1000 + random() * 2500)
    const victims = workerds()
    if (victims.length === 0) throw new Error("there is no workerd to kill")
    for (const pid of victims) process.kill(pid, "SIGKILL")
    over = true
    await Promise.all(busy)
    await worker.dispose().catch(() => undefined)
    survived = kill
    const again = open({})
    await heal(await again.ready)
    await check(await again.ready, `after kill ${kill}`)
    await again.dispose()
    process.stderr.write(`\r${kill}/${kills} kills, ${model.acknowledged} writes acknowledged`)
  }
  const worker = open({})
  if (!(await flushOnce(await worker.ready))) throw new Error("the last flush was refused")
  await worker.dispose()
  loseAll()
  const last = open({})
  await heal(await last.ready)
  await check(await last.ready, "after the disks were lost")
  await last.dispose()
  const { acknowledged, asAcknowledged, asSent } = model
  console.log(
    `\n${survived} kills and ${disksLost} lost disks survived, ${flushes} flushes completed among them: all of ` +
      `${acknowledged} acknowledged writes read back up to the last flush before their disk was lost ` +
      `(${asAcknowledged} times a key as last acknowledged, ${asSent} times one that could be either) (seed ${seed})`
  )
} finally {
  rmSync(state, { recursive: true, force: true })
}
process.exit(0)
