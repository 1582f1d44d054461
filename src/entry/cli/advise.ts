import * as Effect from "effect/Effect"
import { freeDailyKv } from "../../services/ledger/model/Prices.ts"
import { familiesOf } from "../../services/replay/model/KeyFamilies.ts"
import * as PolicyCosts from "../../services/replay/model/PolicyCosts.ts"
import type { Trace } from "../../services/replay/model/Trace.ts"
import type { Format } from "../replay/readers/formats.ts"
import * as TraceFile from "../replay/readers/traceFile.ts"

export interface AdviseOptions {
  readonly format?: Format | undefined
  readonly staleness: number
  /** Whether a write may be acknowledged before KV has it. */
  readonly durability: "stored" | "buffered"
  readonly isolates: number
}

const monthMillis = 30 * 86_400_000
const flushAfter = 25

export interface FamilyAdvice {
  readonly prefix: string
  readonly keys: number
  readonly reads: number
  readonly writes: number
  readonly deletes: number
  readonly policy: PolicyCosts.PolicyName
  readonly usdMonthToday: number
  readonly usdMonth: number
}

export interface Advice {
  readonly file: string
  readonly requests: number
  readonly days: number
  readonly families: ReadonlyArray<FamilyAdvice>
  readonly usdMonthToday: number
  readonly usdMonth: number
  readonly savedUsdMonth: number
  /** KV operations of a day: those of today, and those that are left. */
  readonly kvPerDay: { readonly today: Daily; readonly advised: Daily }
  readonly limitsRemoved: ReadonlyArray<string>
  /** What the first half alone predicts for a request of the second, and what it came to there. */
  readonly check: { readonly predictedSavedUsd: number; readonly replayedSavedUsd: number; readonly error: number }
  readonly code: string
}

interface Daily {
  readonly reads: number
  readonly writes: number
}

const allowedFor = ({ durability }: AdviseOptions): ReadonlyArray<PolicyCosts.PolicyName> => [
  "memory",
  ...(durability === "buffered" ? (["behind"] as const) : []),
  "durable",
  "instant"
]

const requestsByKey = (trace: Trace): Uint32Array => {
  const counts = new Uint32Array(trace.keys.length)
  for (const key of trace.key) counts[key]!++
  return counts
}

const kvOf = (policy: PolicyCosts.PolicyName, counts: PolicyCosts.FamilyCounts): Daily => {
  const { deletes, joined, misses, reads, writes } = counts
  if (policy === "durable" || policy === "instant") return { reads: 0, writes: 0 }
  if (policy === "plain") return { reads, writes: writes + deletes }
  return { reads: misses, writes: policy === "behind" ? joined : writes + deletes }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, n) => total + n, 0)

const spanMillis = (trace: Trace, from: number, to: number): number =>
  Math.max(1000, (trace.at[to - 1] ?? 0) - (trace.at[from] ?? 0))

/** Trains on the first half of the requests, and replays what was chosen on the second. */
const checked = (
  trace: Trace,
  families: ReturnType<typeof familiesOf>,
  options: PolicyCosts.CostOptions,
  allowed: ReadonlyArray<PolicyCosts.PolicyName>
): Advice["check"] => {
  const half = trace.at.length >> 1
  const parts = [
    { counts: PolicyCosts.count(trace, families, options, 0, half), months: spanMillis(trace, 0, half) / monthMillis },
    {
      counts: PolicyCosts.count(trace, families, options, half),
      months: spanMillis(trace, half, trace.at.length) / monthMillis
    }
  ] as const
  const choices = PolicyCosts.cheapest(allowed, parts[0].counts, parts[0].months)
  const [predicted, replayed] = parts.map(({ counts, months }) =>
    sum(
      counts.map((family, at) => {
        const plain = PolicyCosts.usdOf("plain", family, months)!
        return plain - (PolicyCosts.usdOf(choices[at]!, family, months) ?? plain)
      })
    )
  )
  const scaled = half === 0 ? 0 : (predicted! / half) * (trace.at.length - half)
  return {
    predictedSavedUsd: scaled,
    replayedSavedUsd: replayed!,
    error: replayed === 0 ? 0 : Math.abs(scaled - replayed!) / Math.abs(replayed!)
  }
}

const codeOf = (families: ReadonlyArray<FamilyAdvice>, staleness: number): string => {
  const facade = families.filter(({ policy }) => policy === "memory" || policy === "behind")
  const common = facade.find(({ prefix }) => prefix === "")?.policy ?? "memory"
  const policies = families
    .filter(({ policy, prefix }) => prefix !== "" && (policy === "plain" || policy !== common))
    .filter(({ policy }) => policy === "plain" || policy === "behind" || policy === "memory")
    .map(({ policy, prefix }) => {
      const fields = policy === "plain" ? "cacheTtl: 0" : `write: "${policy === "behind" ? "behind" : "through"}"`
      return `    ${JSON.stringify(prefix)}: { ${fields} }`
    })
  const isInstant = families.some(({ policy }) => policy === "instant")
  const isDurable = families.some(({ policy }) => policy === "durable")
  const lines = [
    `import { withLarder } from "larder-kv"`,
    ...(isDurable
      ? [`import { durable } from "larder-kv/durable"`, `export { CacheDurableObject } from "larder-kv/durable"`]
      : []),
    "",
    "export default withLarder(worker, {",
    `  cacheTtl: ${staleness},`,
    ...(common === "behind" ? [`  write: "behind",`, `  flushAfter: ${flushAfter},`] : []),
    ...(policies.length > 0 ? ["  policies: {", `${policies.join(",\n")}`, "  },"] : []),
    ...(isDurable ? ["  store: durable()"] : []),
    ...(isInstant ? ["  instant: true // the namespace made anew with mode: instant"] : []),
    "})"
  ]
  return lines.join("\n")
}

/** What would be cheapest for a recorded workload, by family of its keys. */
export const advise = (file: string, options: AdviseOptions) =>
  Effect.map(TraceFile.read(file, { format: options.format }), (trace): Advice => {
    const costs = { staleness: options.staleness, isolates: options.isolates, flushAfter }
    const families = familiesOf(trace.keys, requestsByKey(trace))
    const span = spanMillis(trace, 0, trace.at.length)
    const months = span / monthMillis
    const days = span / 86_400_000
    const all = PolicyCosts.count(trace, families, costs)
    const allowed = allowedFor(options)
    const chosen = PolicyCosts.cheapest(allowed, all, months)
    const used = all.flatMap((counts, at) => {
      const { deletes, keys, reads, writes } = counts
      if (keys === 0) return []
      const policy = chosen[at]!
      const usd = PolicyCosts.usdOf(policy, counts, months)!
      const today = PolicyCosts.usdOf("plain", counts, months)! / months
      const prefix = families.prefixes[at]!
      return [{ prefix, keys, reads, writes, deletes, policy, usdMonthToday: today, usdMonth: usd / months }]
    })
    const daily = (policies: ReadonlyArray<PolicyCosts.PolicyName>): Daily => {
      const perFamily = all.map((counts, at) => kvOf(policies[at]!, counts))
      return {
        reads: sum(perFamily.map(({ reads }) => reads)) / days,
        writes: sum(perFamily.map(({ writes }) => writes)) / days
      }
    }
    const kvPerDay = {
      today: daily(all.map(() => "plain" as const)),
      advised: daily(chosen)
    }
    const limitsRemoved = (["reads", "writes"] as const)
      .filter((kind) => kvPerDay.today[kind] > freeDailyKv[kind] && kvPerDay.advised[kind] <= freeDailyKv[kind])
      .map((kind) => `the Free plan's ${freeDailyKv[kind].toLocaleString("en")} ${kind} a day`)
    const usdMonthToday = sum(used.map((family) => family.usdMonthToday))
    const usdMonth = sum(used.map((family) => family.usdMonth))
    return {
      file,
      requests: trace.at.length,
      days,
      families: used,
      usdMonthToday,
      usdMonth,
      savedUsdMonth: usdMonthToday - usdMonth,
      kvPerDay,
      limitsRemoved,
      check: checked(trace, families, costs, allowed),
      code: codeOf(used, options.staleness)
    }
  })

const usd = (amount: number): string => (Math.abs(amount) < 0.01 ? amount.toPrecision(2) : amount.toFixed(2))

/** For people, within 100 columns. */
export const textOf = (advice: Advice): string => {
  const { check, code, days, families, file, limitsRemoved, requests, savedUsdMonth, usdMonth, usdMonthToday } = advice
  const row = (cells: ReadonlyArray<string>): string =>
    `${cells[0]!.slice(0, 30).padEnd(30)} ${cells
      .slice(1)
      .map((cell) => cell.padStart(11))
      .join(" ")}`
  return [
    `${file.slice(-60)}: ${requests.toLocaleString("en")} requests in ${days.toFixed(2)} days`,
    "",
    row(["keys that begin with", "reads", "writes", "policy", "$ now", "$ then"]),
    ...families.map(({ deletes, policy, prefix, reads, writes, ...family }) =>
      row([
        prefix === "" ? "(all others)" : prefix,
        reads.toLocaleString("en"),
        (writes + deletes).toLocaleString("en"),
        policy,
        usd(family.usdMonthToday),
        usd(family.usdMonth)
      ])
    ),
    "",
    `A month at this rate, list price: $${usd(usdMonthToday)} now, $${usd(usdMonth)} then, $${usd(savedUsdMonth)} saved.`,
    ...(limitsRemoved.length > 0 ? [`No longer met: ${limitsRemoved.join(", ")}.`] : []),
    `The first half of the log predicts the saving of the second within ${(check.error * 100).toFixed(1)} %.`,
    "",
    code
  ].join("\n")
}
