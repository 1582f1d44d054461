import { crc32 } from "node:zlib"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { ByteReader, ByteWriter, Malformed } from "../../base/model/ByteCodec.ts"
import { define } from "../../store/model/Collection.ts"
import type { DailyCloses } from "../MarketHistory.ts"
import { sectorPanels as declared } from "./MarketCollections.ts"

/** Stored bytes that are no panel. Readers take them for an absence. */
export class SectorPanelError extends Data.TaggedError("SectorPanelError")<{
  readonly operation: "decode"
  readonly reason: "Foreign" | "Damaged"
  readonly cause?: unknown
}> {}

/**
 * The closes of all members of all sectors in one block of numbers, a row for every day, a column for every symbol, so
 * that arithmetic streams over rows and the whole of it is one stored value. Made by {@link panelOf} or {@link decode}.
 */
export interface SectorPanel {
  /** Trading days as `YYYY-MM-DD`, oldest first. */
  readonly days: ReadonlyArray<string>
  /** Ids of the sectors. */
  readonly sectors: ReadonlyArray<string>
  readonly symbols: ReadonlyArray<string>
  /** By symbol, the index of its sector. */
  readonly sectorOf: Uint8Array
  /** By symbol, in any one unit; 0 where it is not known. */
  readonly weights: Float64Array
  /** By day, the close of the market; `NaN` where there is none. */
  readonly market: Float64Array
  /** The close of symbol `s` on day `d` at `d * symbols.length + s`; `NaN` where there is none. */
  readonly closes: Float64Array
}

/**
 * A panel of daily closes. A close that is not a finite number above 0 is none, and such a weight counts for nothing.
 *
 * @param sectorOf the index in `sectors` of a symbol's sector; undefined for one that is in none
 * @param market the symbol that stands for the market
 */
export const panelOf = (
  history: DailyCloses,
  sectors: ReadonlyArray<string>,
  sectorOf: (symbol: string) => number | undefined,
  market: string
): SectorPanel => {
  const width = history.symbols.length
  const columns: Array<number> = []
  for (let column = 0; column < width; column++) {
    if (sectorOf(history.symbols[column]!) !== undefined) columns.push(column)
  }
  const symbols = columns.map((column) => history.symbols[column]!)
  const closes = new Float64Array(history.days.length * symbols.length)
  for (let day = 0, at = 0; day < history.days.length; day++) {
    for (const column of columns) closes[at++] = positiveOr(history.closes[day * width + column], Number.NaN)
  }
  const marketColumn = history.symbols.indexOf(market)
  return {
    days: history.days,
    sectors,
    symbols,
    sectorOf: Uint8Array.from(symbols, (symbol) => sectorOf(symbol)!),
    weights: Float64Array.from(columns, (column) => positiveOr(history.weights[column], 0)),
    market: Float64Array.from(history.days, (_, day) =>
      marketColumn === -1 ? Number.NaN : positiveOr(history.closes[day * width + marketColumn], Number.NaN)
    ),
    closes
  }
}

const positiveOr = (value: number | undefined, otherwise: number): number =>
  value !== undefined && value > 0 && value < Number.POSITIVE_INFINITY ? value : otherwise

/**
 * Magic `LSEC`, CRC-32 of all that follows, the names, zeros up to a multiple of 8 bytes, then the numbers as they lie in
 * memory (64 bits, little-endian as every machine that runs workerd): weights, market, closes.
 */
export const encode = (panel: SectorPanel): Uint8Array => {
  const writer = new ByteWriter()
  writer.uint32(magic)
  writer.uint32(0)
  writer.byte(version)
  for (const names of [panel.days, panel.sectors, panel.symbols]) {
    writer.varint(names.length)
    for (const name of names) writer.string(name)
  }
  writer.raw(panel.sectorOf)
  const names = writer.written().byteLength
  const blocks = [panel.weights, panel.market, panel.closes]
  const bytes = new Uint8Array(aligned(names) + blocks.reduce((sum, block) => sum + block.byteLength, 0))
  bytes.set(writer.written())
  let at = aligned(names)
  for (const block of blocks) {
    bytes.set(new Uint8Array(block.buffer, block.byteOffset, block.byteLength), at)
    at += block.byteLength
  }
  new DataView(bytes.buffer).setUint32(4, crc32(bytes.subarray(checkedFrom)), true)
  return bytes
}

/** The numbers stay where they lie, wherever that is a multiple of 8 bytes: nothing is copied. */
export const decode = (bytes: Uint8Array): Either.Either<SectorPanel, SectorPanelError> => {
  const reader = new ByteReader(bytes)
  try {
    if (reader.uint32() !== magic) return failure("Foreign")
    if (reader.uint32() !== crc32(bytes.subarray(checkedFrom))) return failure("Damaged")
    if (reader.byte() !== version) return failure("Foreign")
    const names = () => reader.list(() => reader.string())
    const [days, sectors, symbols] = [names(), names(), names()]
    const sectorOf = reader.view(symbols.length)
    if (sectorOf.some((sector) => sector >= sectors.length)) return failure("Damaged")
    const read = bytes.byteLength - reader.remaining
    reader.view(aligned(read) - read)
    const numbers = (count: number) => doubles(reader.view(count * 8))
    const [weights, market, closes] = [
      numbers(symbols.length),
      numbers(days.length),
      numbers(days.length * symbols.length)
    ]
    reader.end()
    return Either.right({ days, sectors, symbols, sectorOf, weights, market, closes })
  } catch (cause) {
    if (cause instanceof Malformed) return failure("Damaged", cause)
    throw cause
  }
}

const magic = 0x4345534c
const version = 1
const checkedFrom = 8

const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8

const doubles = (bytes: Uint8Array): Float64Array => {
  const { buffer, byteLength, byteOffset } = byteOffsetFits(bytes) ? bytes : bytes.slice()
  return new Float64Array(buffer, byteOffset, byteLength / 8)
}

const byteOffsetFits = ({ byteOffset }: Uint8Array): boolean => byteOffset % 8 === 0

const failure = (reason: SectorPanelError["reason"], cause?: unknown): Either.Either<never, SectorPanelError> =>
  Either.left(new SectorPanelError({ operation: "decode", reason, cause }))

/** Panels by their last day and the version of the table of symbols. A day that is over does not change. */
export const sectorPanels = define(declared.name, declared.policy, declared.application)

export const panelType = "application/vnd.larder.sectors"
