import type { Figures } from "./Figures.ts"
import { millisOf } from "./LatencySketch.ts"

interface Family {
  readonly prefix: string
  readonly name: string
  readonly help: string
  readonly labels: ReadonlyArray<string>
}

const tree = (prefix: string, name: string, help: string, ...labels: ReadonlyArray<string>): Family => ({
  prefix,
  name,
  help,
  labels
})

/** Counters by the names of their figures. */
const families: ReadonlyArray<Family> = [
  tree("requests|", "larder_requests", "Requests that were answered.", "route", "tier", "status"),
  tree("problems|", "larder_problems", "Refusals and failures by their kind.", "kind", "status"),
  tree("crons|", "larder_cron_jobs", "Jobs that crons ran.", "job", "outcome"),
  tree("answered|", "larder_reads", "Reads by the tier that answered.", "tier"),
  tree("reads|", "larder_read_outcomes", "Reads served stale or by grace, and what happened on their way.", "outcome"),
  tree("ledger|kv|", "larder_kv_operations", "Billed KV keys and list requests.", "kind"),
  tree("ledger|kvCalls|", "larder_kv_calls", "Calls of KV bindings.", "kind"),
  tree("ledger|kvRefused|", "larder_kv_refused", "KV operations that KV refused.", "kind"),
  tree("ledger|edge|", "larder_edge_calls", "Calls of the edge cache.", "kind"),
  tree("ledger|durableObject|", "larder_durable_object", "What the objects are billed for.", "kind"),
  tree(
    "ledger|logical|",
    "larder_logical_operations",
    "What was asked for: without Larder, as many KV operations.",
    "kind"
  ),
  tree("memory|", "larder_memory", "What became of entries in memory.", "event"),
  tree("prefetch|", "larder_prefetch", "Predictions and what became of them.", "event"),
  tree("batches|", "larder_batches", "Operations asked for, and the batches they became.", "of", "event")
]

/** Of what the collections count. */
const collectionFamilies: ReadonlyArray<Family> = [
  tree("answered", "larder_collection_reads", "Reads of a collection by the tier that answered.", "collection", "tier"),
  tree("kv", "larder_collection_kv_operations", "Billed KV keys of a collection.", "collection", "kind"),
  tree("logical", "larder_collection_logical_operations", "What was asked of a collection.", "collection", "kind")
]

/** A family with what was counted of it. */
export interface Counter {
  readonly name: string
  readonly help: string
  readonly labels: ReadonlyArray<string>
  readonly samples: ReadonlyArray<readonly [values: ReadonlyArray<string>, count: number]>
}

/** The families of which anything was counted. */
export const countersIn = (figures: Figures): ReadonlyArray<Counter> => {
  const entries = Object.entries(figures)
  const own = families.map(
    ({ prefix, ...family }): Counter => ({
      ...family,
      samples: entries.flatMap(([name, count]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length).split("|"), count] as const] : []
      )
    })
  )
  const ofCollections = collectionFamilies.map(
    ({ prefix, ...family }): Counter => ({
      ...family,
      samples: entries.flatMap(([name, count]) => {
        const [root, collection = "", what, ...rest] = name.split("|")
        return root === "collection" && what === prefix ? [[[collection, rest.join("|")], count] as const] : []
      })
    })
  )
  return [...own, ...ofCollections].filter(({ samples }) => samples.length > 0)
}

/** Upper bounds of the histogram, in seconds. */
export const bounds = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export const durationName = "larder_request_duration_seconds"

/** How long requests took, by route and tier. */
export interface Histogram {
  readonly route: string
  readonly tier: string
  /** Requests within each of the {@link bounds}, those of lower ones included. */
  readonly within: ReadonlyArray<number>
  readonly count: number
  readonly seconds: number
}

export const histogramsIn = (figures: Figures): ReadonlyArray<Histogram> => {
  const byAbout = new Map<string, Array<readonly [seconds: number, count: number]>>()
  for (const [path, count] of Object.entries(figures)) {
    if (!path.startsWith("ms|")) continue
    const [, route = "", tier = "", bucket = ""] = path.split("|")
    const about = `${route}|${tier}`
    byAbout.set(about, [...(byAbout.get(about) ?? []), [millisOf(Number(bucket)) / 1000, count]])
  }
  return [...byAbout].map(([about, samples]) => {
    const [route = "", tier = ""] = about.split("|")
    const within = (bound: number) => samples.reduce((all, [at, count]) => (at <= bound ? all + count : all), 0)
    return {
      route,
      tier,
      within: bounds.map(within),
      count: within(Number.POSITIVE_INFINITY),
      seconds: samples.reduce((seconds, [at, count]) => seconds + at * count, 0)
    }
  })
}

const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const labelled = (labels: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  labels.map((label, index) => `${label}="${escaped(values[index] ?? "")}"`).join(",")

const counterText = ({ help, labels, name, samples }: Counter): string =>
  [
    `# HELP ${name}_total ${help}`,
    `# TYPE ${name}_total counter`,
    ...samples.map(([values, count]) => `${name}_total{${labelled(labels, values)}} ${count}`),
    ""
  ].join("\n")

const histogramText = (histograms: ReadonlyArray<Histogram>): string => {
  const lines = histograms.flatMap(({ count, route, seconds, tier, within }) => {
    const about = labelled(["route", "tier"], [route, tier])
    return [
      ...bounds.map((bound, index) => `${durationName}_bucket{${about},le="${bound}"} ${within[index]}`),
      `${durationName}_bucket{${about},le="+Inf"} ${count}`,
      `${durationName}_sum{${about}} ${seconds}`,
      `${durationName}_count{${about}} ${count}`
    ]
  })
  return lines.length === 0
    ? ""
    : [
        `# HELP ${durationName} Time from a request to its answer.`,
        `# TYPE ${durationName} histogram`,
        ...lines,
        ""
      ].join("\n")
}

/** A series without labels. The name of a counter ends in `_total`. */
export interface Single {
  readonly name: string
  readonly help: string
  readonly value: number
}

const single = ({ help, name, value }: Single): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}\n${name} ${value}\n`

/** The figures as Prometheus reads them, text format 0.0.4. Sketches become histograms; seconds and bytes, no others. */
export const metricsText = (figures: Figures, singles: ReadonlyArray<Single>): string =>
  [...countersIn(figures).map(counterText), histogramText(histogramsIn(figures)), ...singles.map(single)].join("")
