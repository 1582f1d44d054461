import { cpus, loadavg } from "node:os"
import { explained } from "./http-cache/explanations.ts"
import { compareLatency } from "./http-cache/latency.ts"
import { startProxy } from "./http-cache/proxy.ts"
import { loadTests, runTests, type SuiteResult, type SuiteTest, startOrigin } from "./http-cache/suite.ts"

// The HTTP cache in workerd under npm's http-cache-tests, a test counting only if those it depends on pass; then the
// response time of a hot resource with and without it.
// npm run bench -- http-cache [--suite | --latency]
// npm run bench -- http-cache --serve PORT --origin URL     the cache in front of any origin, until it is stopped

const flag = (name: string): string | undefined => {
  const at = process.argv.indexOf(name)
  return at === -1 ? undefined : process.argv[at + 1]
}

const serve = async (port: number, origin: string): Promise<void> => {
  const proxy = await startProxy(origin, port)
  console.log(`The HTTP cache listens on ${proxy.url} in front of ${origin}`)
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve())
  })
  await proxy.stop()
}

/** Prints what passes, and why the rest does not; false when a failure has no explanation. */
const suite = async (): Promise<boolean> => {
  const groups = await loadTests()
  const origin = await startOrigin()
  const proxy = await startProxy(origin.url)
  let results: Readonly<Record<string, SuiteResult>>
  try {
    results = await runTests(groups, proxy.url)
  } finally {
    await proxy.stop()
    origin.stop()
  }
  const tests = new Map(groups.flatMap((group) => group.tests.map((test) => [test.id, test] as const)))
  const passes = (id: string): boolean => results[id] === true && (tests.get(id)?.depends_on ?? []).every(passes)
  const kindOf = (test: SuiteTest) => test.kind ?? "required"
  const run = [...tests.values()].filter(({ browser_only, id }) => browser_only !== true && id in results)
  console.table(
    Object.fromEntries(
      (["required", "optimal", "check"] as const).map((kind) => {
        const own = run.filter((test) => kindOf(test) === kind)
        return [
          kind,
          {
            "pass, honoured": own.filter(({ id }) => passes(id)).length,
            "pass, raw": own.filter(({ id }) => results[id] === true).length,
            tests: own.length
          }
        ]
      })
    )
  )
  console.log("A `check` asks what a cache does; either answer is right.")
  let unexplained = 0
  for (const test of run.filter((each) => kindOf(each) !== "check" && !passes(each.id))) {
    const result = results[test.id]
    const missing = (test.depends_on ?? []).filter((id) => !passes(id))
    const reason = missing.length > 0 ? `depends on ${missing.join(", ")}` : explained(test.id)
    if (reason === undefined) unexplained++
    const message = result === true || result === undefined ? "" : ` [${result[1]}]`
    console.log(`${kindOf(test)} ${test.id}: ${reason ?? `NOT EXPLAINED${message}`}`)
  }
  if (unexplained > 0) {
    const load = loadavg()[0]!.toFixed(1)
    console.log(
      `The suite counts seconds (load of this machine: ${load} on ${cpus().length} cores): if it was busy, run again.`
    )
  }
  return unexplained === 0
}

const port = flag("--serve")
const originUrl = flag("--origin")
if (port !== undefined || originUrl !== undefined) {
  if (port === undefined || !/^\d+$/.test(port) || originUrl === undefined) {
    console.error("npm run bench -- http-cache --serve PORT --origin URL")
    process.exit(2)
  }
  await serve(Number(port), originUrl)
} else {
  const both = !process.argv.includes("--suite") && !process.argv.includes("--latency")
  if ((both || process.argv.includes("--suite")) && !(await suite())) process.exitCode = 1
  if (both || process.argv.includes("--latency")) await compareLatency()
}
