import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Replay } from "./replay.ts"
import { rowsOf, titleOf } from "./replayTable.ts"

const colours = ["#2f6fdb", "#d9822b", "#2a9d5c", "#b5449e", "#6b7785", "#c0392b", "#7a5af0", "#008b8b", "#8a6d1d"]

/** A page that needs nothing else: billed KV operations over the time of the workload, a line per stack, and the table. */
export const reportOf = (replay: Replay): string => {
  const title = titleOf(replay.result)
  const rows = rowsOf(replay.result)
  const head = Object.keys(rows[0] ?? {}).map((name) => `<th>${escape(name)}</th>`)
  const body = rows.map(
    (row) =>
      `<tr>${Object.values(row)
        .map((cell) => `<td>${escape(String(cell))}</td>`)
        .join("")}</tr>`
  )
  const series = replay.curves.map(({ stack }, index) => ({
    label: stack,
    stroke: colours[index % colours.length],
    width: 2
  }))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Larder: ${escape(title)}</title>
<style>
${asset(require.resolve("uplot/dist/uPlot.min.css"))}
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2430; }
.scroll { overflow-x: auto }
.scroll table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; margin-top: 2rem; white-space: nowrap }
.scroll th, .scroll td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #d8dde4 }
.scroll th:first-child, .scroll td:first-child { text-align: left }
</style>
</head>
<body>
<h1>Billed KV operations</h1>
<p>${escape(title)}</p>
<div id="chart"></div>
<div class="scroll"><table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>
<script>${asset(require.resolve("uplot/dist/uPlot.iife.min.js"))}</script>
<script>
const data = ${embedded(columnsOf(replay.curves))}
const series = ${embedded(series)}
const chart = document.getElementById("chart")
const size = () => ({ width: chart.clientWidth, height: 420 })
const plot = new uPlot({
  ...size(),
  scales: { x: { time: false } },
  axes: [{ label: "hours" }, { label: "operations so far", size: 90 }],
  series: [{ label: "hours", value: (_, hours) => hours == null ? "" : hours.toFixed(2) }, ...series]
}, data, chart)
addEventListener("resize", () => plot.setSize(size()))
</script>
</body>
</html>
`
}

/** uPlot's columns: hours since the first request, then the operations of every stack; all were sampled alike. */
const columnsOf = (curves: Replay["curves"]): ReadonlyArray<ReadonlyArray<number>> => {
  const samples = curves[0]?.samples ?? []
  const first = samples[0]?.at ?? 0
  return [
    samples.map(({ at }) => (at - first) / 3_600_000),
    ...curves.map((curve) => curve.samples.map(({ operations }) => operations))
  ]
}

const require = createRequire(import.meta.url)

const asset = (file: string): string => readFileSync(file, "utf8").trim()

const embedded = (json: unknown): string => JSON.stringify(json).replaceAll("<", "\\u003c")

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
