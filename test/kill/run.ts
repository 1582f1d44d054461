import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Miniflare } from "miniflare"
import { make } from "../../src/services/base/model/Random.ts"
import { bundled, deployed, objectsIn } from "../support/deployed.ts"
import { type Left, Model } from "./model.ts"

// Real workerd under write load is killed (SIGKILL) at random, often in the middle of a flush; after each restart every
// write that was acknowledged as stored must read back from its shard, or a later one that was on its way. At the end
// the objects' disks are destroyed, and everything must come back from the snapshots.
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
const script = await bundled()
const model = new Model(contended)

const open = (): Miniflare =>
  deployed(
    script,
    {
      FEATURE_FLAG_DO_CACHE: "on",
      SHARDS: "2",
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
  if (answer?.status === 202) throw new Error(`${key} was kept outside a shard that was there`)
  return whole === true && (answer?.status === 201 || answer?.status === 204)
}

/** Each writer has its own keys and waits for each answer. */
const load = async (origin: URL, writer: number, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    const number = model.next()
    if (random() < 0.5) {
      model.sentOnce(number)
      if (await write(origin, `s${number}`, number)) model.answeredOnce(number)
      continue
    }
    const key = writer + writers * Math.floor(random() * Math.floor((contended - writer - 1) / writers + 1))
    const left: Left = random() < 0.3 ? "absent" : number
    model.sent(key, left)
    if (await write(origin, `k${key}`, left)) model.answered(key, left)
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
    const answer = await post(origin, "admin/flush").catch(() => undefined)
    await answer?.arrayBuffer().catch(() => undefined)
    if (answer?.status === 200) flushes += 1
    await pause(random() * 200)
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
  const keys = [...model.keys(), ...model.singleKeys()]
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
let survived = 0
try {
  for (let kill = 1; kill <= kills; kill++) {
    const worker = open()
    const origin = await worker.ready
    await check(origin, `after kill ${kill - 1}`)
    let over = false
    const busy = Array.from({ length: writers }, (_, writer) => load(origin, writer, () => over))
    busy.push(flush(origin, () => over))
    await pause(200 + random() * 1800)
    const victims = workerds()
    if (victims.length === 0) throw new Error("there is no workerd to kill")
    for (const pid of victims) process.kill(pid, "SIGKILL")
    over = true
    await Promise.all(busy)
    await worker.dispose().catch(() => undefined)
    survived = kill
    process.stderr.write(`\r${kill}/${kills} kills, ${model.acknowledged} writes acknowledged`)
  }
  let worker = open()
  await check(await worker.ready, "after the last kill")
  const flushed = await post(await worker.ready, "admin/flush")
  if (!flushed.ok) throw new Error(`the last flush: ${await flushed.text()}`)
  await flushed.arrayBuffer()
  await worker.dispose()
  rmSync(objectsIn(state), { recursive: true })
  worker = open()
  await check(await worker.ready, "after the disks were lost")
  await worker.dispose()
  const { acknowledged, asAcknowledged, asSent, singlesRead } = model
  console.log(
    `\n${survived} kills survived, ${flushes} flushes among them: all of ${acknowledged} acknowledged writes read back ` +
      `(${asAcknowledged} times a key as last acknowledged, ${asSent} times as left by a later write without an answer, ` +
      `${singlesRead} times one that was written once), and once more from snapshots (seed ${seed})`
  )
} finally {
  rmSync(state, { recursive: true, force: true })
}
process.exit(0)
