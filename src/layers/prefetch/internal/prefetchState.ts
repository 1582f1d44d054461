import * as Either from "effect/Either"
import { type ByteReader, ByteWriter, Malformed } from "../../../services/base/model/ByteCodec.ts"
import * as Frame from "../../../services/compression/model/Frame.ts"
import { perQuarter, quarters } from "./DayPattern.ts"
import type { DependencyGraph } from "./DependencyGraph.ts"
import { classes } from "./PrefetchGate.ts"
import { nobody } from "./PrefetchNodes.ts"
import type { Successors } from "./Successors.ts"

/** Contexts of one id, and of two, that are worth keeping: the most frequent of those with a successor seen twice. */
const keptContexts = 4096
const keptPairs = 2048

type Arc = readonly [to: number, count: number]

/** A context with what followed it; `context` is one place in the list of ids, or two. */
interface Row {
  readonly context: ReadonlyArray<number>
  readonly total: number
  readonly arcs: ReadonlyArray<Arc>
}

interface Learned {
  readonly ids: ReadonlyArray<readonly [id: string, asked: number]>
  readonly singles: ReadonlyArray<Row>
  readonly pairs: ReadonlyArray<Row>
  readonly gate: ReadonlyArray<readonly [seen: number, used: number]>
  readonly day: ReadonlyArray<{ readonly observed: number; readonly entries: ReadonlyArray<Arc> }>
}

/**
 * What a graph has learned, of sessions nothing. Ids stand in their own order and are numbered by it, so that equal
 * graphs make equal bytes. Undefined while there is nothing worth keeping.
 */
export const encode = (graph: DependencyGraph): Uint8Array | undefined => {
  const learned = learnedOf(graph)
  if (learned.ids.length === 0) return undefined
  const writer = new ByteWriter(16_384)
  const list = <A>(items: ReadonlyArray<A>, write: (item: A) => void): void => {
    writer.varint(items.length)
    for (const item of items) write(item)
  }
  const arc = ([to, count]: Arc): void => {
    writer.varint(to)
    writer.varint(count)
  }
  const row = ({ arcs, context, total }: Row): void => {
    for (const place of context) writer.varint(place)
    writer.varint(total)
    list(arcs, arc)
  }
  list(learned.ids, ([id, asked]) => {
    writer.string(id)
    writer.varint(asked)
  })
  list(learned.singles, row)
  list(learned.pairs, row)
  list(learned.gate, arc)
  list(learned.day, ({ entries, observed }) => {
    writer.varint(observed)
    list(entries, arc)
  })
  return Either.getOrUndefined(Frame.encode("learned", writer.written()))
}

/** Takes saved bytes in; of two accounts of a context, a class or a quarter that with the more evidence stays. */
export const decodeInto = (graph: DependencyGraph, bytes: Uint8Array): boolean =>
  Either.match(Frame.decode("learned", bytes, read), {
    onLeft: () => false,
    onRight: (learned) => {
      merge(graph, learned)
      return true
    }
  })

// internal

const read = (reader: ByteReader): Learned => {
  const arc = (): Arc => [reader.varint(), reader.varint()]
  const ids = reader.list(() => [reader.string(), reader.varint()] as const)
  const place = (): number => {
    const at = reader.varint()
    if (at >= ids.length) throw new Malformed("an id that is not in the list")
    return at
  }
  const arcTo = (): Arc => [place(), reader.varint()]
  const row = (order: 1 | 2) => (): Row => ({
    context: order === 1 ? [place()] : [place(), place()],
    total: reader.varint(),
    arcs: reader.list(arcTo)
  })
  const singles = reader.list(row(1))
  const pairs = reader.list(row(2))
  const gate = reader.list(arc)
  const day = reader.list(() => ({ observed: reader.varint(), entries: reader.list(arcTo) }))
  if (gate.length !== classes || day.length !== quarters) throw new Malformed("not as many as there are")
  return { ids, singles, pairs, gate, day }
}

const learnedOf = (graph: DependencyGraph): Learned => {
  const { day, gate, nodes, pairs, singles } = graph
  const arcsOf = (graphOf: Successors, context: number): Array<Arc> => {
    const arcs: Array<Arc> = []
    for (let at = context * graphOf.width; at < (context + 1) * graphOf.width; at++) {
      const to = nodes.nodeOf(graphOf.next[at]!)
      if (graphOf.count[at]! >= 2 && to !== -1) arcs.push([to, graphOf.count[at]!])
    }
    return arcs
  }
  const rowsOf = (graphOf: Successors, kept: number, contextOf: (at: number) => ReadonlyArray<number>): Array<Row> => {
    const rows: Array<Row> = []
    for (let at = 0; at < graphOf.contexts; at++) {
      const arcs = graphOf.total[at]! < 2 ? [] : arcsOf(graphOf, at)
      const context = arcs.length === 0 ? [] : contextOf(at)
      if (arcs.length > 0 && !context.includes(-1)) rows.push({ context, total: graphOf.total[at]!, arcs })
    }
    return rows.sort((a, b) => b.total - a.total).slice(0, kept)
  }
  const single = rowsOf(singles, keptContexts, (at) => [at])
  const pair = rowsOf(pairs.successors, keptPairs, (at) => [
    nodes.nodeOf(pairs.older[at]!),
    nodes.nodeOf(pairs.newer[at]!)
  ])
  const days = Array.from({ length: quarters }, (_, quarter) => {
    const entries: Array<Arc> = []
    for (let at = quarter * perQuarter; at < (quarter + 1) * perQuarter; at++) {
      const node = nodes.nodeOf(day.refs[at]!)
      if (node !== -1 && day.days[at]! > 0) entries.push([node, day.days[at]!])
    }
    return { observed: day.observed[quarter]!, entries }
  })
  const used = new Set<number>()
  for (const { arcs, context } of [...single, ...pair]) {
    for (const node of context) used.add(node)
    for (const [to] of arcs) used.add(to)
  }
  for (const { entries } of days) for (const [to] of entries) used.add(to)
  const order = [...used].sort((a, b) => (nodes.ids[a]! < nodes.ids[b]! ? -1 : 1))
  const places = new Map(order.map((node, place) => [node, place]))
  const placed = (arcs: ReadonlyArray<Arc>): Array<Arc> =>
    arcs.map(([to, count]): Arc => [places.get(to)!, count]).sort(([a], [b]) => a - b)
  const placedRows = (rows: ReadonlyArray<Row>): Array<Row> =>
    rows
      .map(({ arcs, context, total }) => ({
        context: context.map((node) => places.get(node)!),
        total,
        arcs: placed(arcs)
      }))
      .sort((a, b) => a.context[0]! - b.context[0]! || (a.context[1] ?? 0) - (b.context[1] ?? 0))
  return {
    ids: order.map((node) => [nodes.ids[node]!, nodes.asked[node]!] as const),
    singles: placedRows(single),
    pairs: placedRows(pair),
    gate: Array.from(gate.seen, (seen, kind) => [Math.round(seen), Math.round(gate.used[kind]!)] as const),
    day: days.map(({ entries, observed }) => ({ observed, entries: placed(entries) }))
  }
}

const merge = (graph: DependencyGraph, { day, gate, ids, pairs, singles }: Learned): void => {
  const { nodes } = graph
  const refs = ids.map(([id, asked]) => {
    const node = nodes.enter(id)
    const more = Math.min(asked, 0xffff) - nodes.asked[node]!
    if (more > 0) {
      nodes.asked[node]! += more
      nodes.total += more
    }
    return nodes.refOf(node)
  })
  const fill = (into: Successors, context: number, { arcs, total }: Row): void => {
    if (Math.min(total, 0xffff) <= into.total[context]!) return
    into.clear(context)
    into.total[context] = Math.min(total, 0xffff)
    for (const [index, [to, count]] of arcs.slice(0, into.width).entries()) {
      into.next[context * into.width + index] = refs[to]!
      into.count[context * into.width + index] = Math.min(count, 0xff)
    }
  }
  for (const row of singles) {
    const node = nodes.nodeOf(refs[row.context[0]!]!)
    if (node !== -1) fill(graph.singles, node, row)
  }
  for (const row of pairs) {
    const at = graph.pairs.place(refs[row.context[0]!]!, refs[row.context[1]!]!, row.total)
    if (at !== -1) fill(graph.pairs.successors, at, row)
  }
  for (const [kind, [seen, used]] of gate.entries()) {
    if (seen <= graph.gate.seen[kind]!) continue
    graph.gate.seen[kind] = seen
    graph.gate.used[kind] = Math.min(used, seen)
  }
  for (const [quarter, { entries, observed }] of day.entries()) {
    graph.day.merge(
      quarter,
      Math.min(observed, 0xff),
      entries.map(([to, days]) => [refs[to] ?? nobody, days] as const)
    )
  }
}
