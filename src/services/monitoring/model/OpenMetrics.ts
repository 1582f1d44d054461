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

/** Upper bounds of the histogram, in seconds. */
const bounds = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const labelled = (labels: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  labels.map((label, index) => `${label}="${escaped(values[index] ?? "")}"`).join(",")

const counter = ({ help, labels, name }: Family, samples: ReadonlyArray<readonly [string, number]>): string =>
  samples.length === 0
    ? ""
    : [
        `# HELP ${name}_total ${help}`,
        `# TYPE ${name}_total counter`,
        ...samples.map(([rest, value]) => `${name}_total{${labelled(labels, rest.split("|"))}} ${value}`),
        ""
      ].join("\n")

const histogram = (figures: Figures): string => {
  const name = "larder_request_duration_seconds"
  const byAbout = new Map<string, Array<readonly [seconds: number, count: number]>>()
  for (const [path, count] of Object.entries(figures)) {
    if (!path.startsWith("ms|")) continue
    const [, route = "", tier = "", bucket = ""] = path.split("|")
    const about = labelled(["route", "tier"], [route, tier])
    byAbout.set(about, [...(byAbout.get(about) ?? []), [millisOf(Number(bucket)) / 1000, count]])
  }
  const lines = [...byAbout].flatMap(([about, samples]) => {
    const within = (bound: number) => samples.reduce((all, [at, count]) => (at <= bound ? all + count : all), 0)
    const all = within(Number.POSITIVE_INFINITY)
    const total = samples.reduce((seconds, [at, count]) => seconds + at * count, 0)
    return [
      ...bounds.map((bound) => `${name}_bucket{${about},le="${bound}"} ${within(bound)}`),
      `${name}_bucket{${about},le="+Inf"} ${all}`,
      `${name}_sum{${about}} ${total}`,
      `${name}_count{${about}} ${all}`
    ]
  })
  return lines.length === 0
    ? ""
    : [`# HELP ${name} Time from a request to its answer.`, `# TYPE ${name} histogram`, ...lines, ""].join("\n")
}

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly value: number
}

const gauge = ({ help, name, value }: Gauge): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`

/** The figures as Prometheus reads them, text format 0.0.4. Sketches become histograms; seconds and bytes, no others. */
export const metricsText = (figures: Figures, gauges: ReadonlyArray<Gauge>): string => {
  const samplesOf = ({ prefix }: Family) =>
    Object.entries(figures).flatMap(
      ([name, value]): ReadonlyArray<readonly [string, number]> =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []
    )
  const samplesOfCollections = ({ prefix }: Family) =>
    Object.entries(figures).flatMap(([name, value]): ReadonlyArray<readonly [string, number]> => {
      const [root, collection = "", what, rest = ""] = name.split("|")
      return root === "collection" && what === prefix ? [[`${collection}|${rest}`, value]] : []
    })
  return [
    ...families.map((family) => counter(family, samplesOf(family))),
    ...collectionFamilies.map((family) => counter(family, samplesOfCollections(family))),
    histogram(figures),
    ...gauges.map(gauge)
  ].join("")
}
