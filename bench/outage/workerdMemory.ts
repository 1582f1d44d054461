import { readdirSync, readFileSync } from "node:fs"
import { fetch } from "miniflare"

interface HeapUsage {
  readonly usedSize: number
  readonly backingStorageSize: number
}

/** What workerd says of one isolate's heap by its inspector; undefined where it does not say in time. */
const isolateOf = async (debuggerUrl: string) => {
  const { webSocket } = await fetch(debuggerUrl.replace("ws:", "http:"), { headers: { Upgrade: "websocket" } })
  webSocket!.accept()
  let asked = 0
  const waiting = new Map<number, (usage: HeapUsage | undefined) => void>()
  webSocket!.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result?: HeapUsage }
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  return (): Promise<HeapUsage | undefined> =>
    new Promise((resolve) => {
      asked += 1
      waiting.set(asked, resolve)
      setTimeout(() => resolve(undefined), 1000).unref()
      webSocket!.send(JSON.stringify({ id: asked, method: "Runtime.getHeapUsage" }))
    })
}

/** The workerd that this process has started. */
const pidOf = (): string => {
  const pid = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8")
      return /^Name:\s+workerd/m.test(status) && status.includes(`PPid:\t${process.pid}\n`)
    } catch {
      return false
    }
  })
  if (pid === undefined) throw new Error("no workerd of this process")
  return pid
}

/**
 * What workerd holds: the process, and of it each of the isolates that are named: heap and array buffers, garbage that
 * V8 has not collected yet among them. That sum is what Cloudflare's 128 MB of an isolate are about.
 */
export const watchMemory = async (inspectorPort: number, names: ReadonlyArray<string>) => {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json/list`)).json()) as ReadonlyArray<{
    readonly id: string
    readonly webSocketDebuggerUrl: string
  }>
  const isolates = await Promise.all(
    names.map((name) => isolateOf(targets.find(({ id }) => id === `core:user:${name}`)!.webSocketDebuggerUrl))
  )
  const pid = pidOf()
  const processBytes = (): number =>
    1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)

  const look = async (): Promise<ReadonlyArray<number>> => {
    const usages = await Promise.all(isolates.map((usage) => usage()))
    return [processBytes(), ...usages.map((usage) => (usage ? usage.usedSize + usage.backingStorageSize : 0))]
  }

  let most = await look()
  let isLooking = false
  const sampling = setInterval(async () => {
    if (isLooking) return
    isLooking = true
    const now = await look()
    most = most.map((bytes, at) => Math.max(bytes, now[at]!))
    isLooking = false
  }, 30)

  return {
    /** The most since the last call: bytes of the process, then of each isolate. */
    most: async (): Promise<ReadonlyArray<number>> => {
      const before = most
      most = await look()
      return before.map((bytes, at) => Math.max(bytes, most[at]!))
    },
    /** Seconds of CPU that it has used: what a machine that has nothing else to do takes at least. */
    seconds: (): number => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    stop: () => clearInterval(sampling)
  }
}
