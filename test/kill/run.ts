import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Miniflare } from "miniflare"
import { make } from "../../src/services/Random.ts"
import { bundle, start } from "../support/miniflare.ts"

// Real workerd under write load is killed (SIGKILL) at random; after each restart every write that was acknowledged as
// stored must read back from its shard, or a later one that was on its way.
// npm run test:kill [kills] [seed]

const kills = Number(process.argv[2] ?? 50)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000)
const random = make(seed)
const keys = 200
const writers = 16
const headers = { "X-API-KEY": "kill", "Content-Type": "text/plain" }
const state = mkdtempSync(join(tmpdir(), "larder-kill-"))
const script = await bundle(new URL("../../src/entry/worker.ts", import.meta.url))

/** What one write leaves under its key: a number put, or nothing. */
type Left = number | "absent"

/** Per key: what the last acknowledged write left, and what those sent since then may have left. */
const model = Array.from({ length: keys }, () => ({ known: "absent" as Left, open: [] as Array<Left> }))
let numbers = 0
let acknowledged = 0

const open = (): Miniflare =>
  start(
    script,
    {
      API_KEYS: "kill",
      FEATURE_FLAG_DO_CACHE: "on",
      COLLECTIONS: '{"raw": {"memoryTtl": 0, "edgeTtl": 0, "ttl": "forever"}}'
    },
    {
      durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } },
      durableObjectsPersist: state,
      kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
      kvPersist: state
    }
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

/** Each writer has its own keys and waits for each answer, so that the order of a key's writes is known. */
const write = async (origin: URL, writer: number, isOver: () => boolean): Promise<void> => {
  const own = model.flatMap((_, key) => (key % writers === writer ? [key] : []))
  while (!isOver()) {
    const key = own[Math.floor(random() * own.length)]!
    const state = model[key]!
    const left: Left = random() < 0.2 ? "absent" : ++numbers
    state.open.push(left)
    const url = new URL(`/api/v1/cache/raw/k${key}`, origin)
    const request = left === "absent" ? { method: "DELETE", headers } : { method: "PUT", headers, body: `${left}` }
    const answer = await fetch(url, request).catch(() => undefined)
    await answer?.arrayBuffer().catch(() => undefined)
    if (answer?.status === 201 || answer?.status === 204) {
      state.known = left
      state.open.length = 0
      acknowledged += 1
    }
  }
}

/** Reads every key through its shard; what is found there is what later writes build on. */
const check = async (origin: URL): Promise<ReadonlyArray<string>> => {
  const wrongs: Array<string> = []
  for (const [key, state] of model.entries()) {
    const answer = await fetch(new URL(`/api/v1/cache/raw/k${key}`, origin), { headers })
    const text = await answer.text()
    const seen: Left | undefined = answer.status === 200 ? Number(text) : answer.status === 404 ? "absent" : undefined
    if (seen === undefined || ![state.known, ...state.open].includes(seen)) {
      wrongs.push(
        `k${key}: found ${seen ?? answer.status}, acknowledged ${state.known}, sent since ${state.open.join(" ")}`
      )
    }
    state.known = seen ?? "absent"
    state.open.length = 0
  }
  return wrongs
}

let survived = 0
try {
  for (let kill = 1; kill <= kills; kill++) {
    const worker = open()
    const origin = await worker.ready
    const wrongs = await check(origin)
    if (wrongs.length > 0) throw new Error(`after kill ${kill - 1} (seed ${seed}):\n${wrongs.join("\n")}`)
    let over = false
    const load = Array.from({ length: writers }, (_, writer) => write(origin, writer, () => over))
    await pause(100 + random() * 900)
    const victims = workerds()
    if (victims.length === 0) throw new Error("there is no workerd to kill")
    for (const pid of victims) process.kill(pid, "SIGKILL")
    over = true
    await Promise.all(load)
    await worker.dispose().catch(() => undefined)
    survived = kill
    process.stderr.write(`\r${kill}/${kills} kills, ${acknowledged} writes acknowledged`)
  }
  const worker = open()
  const wrongs = await check(await worker.ready)
  await worker.dispose()
  if (wrongs.length > 0) throw new Error(`after the last kill (seed ${seed}):\n${wrongs.join("\n")}`)
  console.log(`\n${survived} kills survived: all of ${acknowledged} acknowledged writes read back (seed ${seed})`)
} finally {
  rmSync(state, { recursive: true, force: true })
}
process.exit(0)
