import { WorkloadError } from "../../../services/replay/Workload.ts"

export const failure = (reason: WorkloadError["reason"], detail: string): WorkloadError =>
  new WorkloadError({ operation: "read", reason, detail })

/** A line of a log may be so long, in bytes; nothing is read beyond it. */
export const maxLineBytes = 1024 * 1024

/**
 * Lines in the order of the file, as many at once as a piece of it held; a character is a byte.
 *
 * @param split what makes lines of text; the default takes CR LF, LF and CR, mixed as they come
 */
export async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
  split: (text: string) => Array<string> = splitLines
): AsyncGenerator<ReadonlyArray<string>> {
  let rest = ""
  let line = 1
  for await (const piece of bytes) {
    rest += Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1")
    // What a carriage return at the end belongs to, the next piece tells.
    const held = rest.endsWith("\r") ? 1 : 0
    const lines = split(held === 0 ? rest : rest.slice(0, -1))
    rest = lines.pop()! + (held === 0 ? "" : "\r")
    line += lines.length
    if (rest.length > maxLineBytes) {
      throw failure("TooLarge", `line ${line} is longer than 1 MiB: give a log, or a trace of one request a line.`)
    }
    if (lines.length > 0) yield lines
  }
  if (rest !== "") yield split(rest)
}

export const splitLines = (text: string): Array<string> => text.split(/\r\n|\n|\r/)

/** The objects of a JSON array, whatever its line ends: as many as are whole, and what is left. */
export const splitObjects = (text: string): Array<string> => {
  const objects: Array<string> = []
  let [depth, from, quoted] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted) {
      if (character === "\\") at += 1
      else quoted = character !== '"'
    } else if (character === '"') quoted = true
    else if (character === "{") {
      if (depth === 0) from = at
      depth += 1
    } else if (character === "}" && depth > 0) {
      depth -= 1
      if (depth > 0) continue
      objects.push(text.slice(from, at + 1))
      from = at + 1
    }
  }
  return [...objects, text.slice(from)]
}

const wellFormed =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g

/**
 * Text of bytes, a character each. A byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, so that texts of
 * different bytes stay different (Python's `surrogateescape`, PEP 383).
 */
export const decoded = (bytes: string): string =>
  /[\x80-\xff]/.test(bytes)
    ? bytes.replace(wellFormed, (sequence) =>
        sequence.length === 1
          ? String.fromCharCode(0xdc00 + sequence.charCodeAt(0))
          : Buffer.from(sequence, "latin1").toString()
      )
    : bytes

/** A piece of the source as one line of a message may show it. */
export const shown = (text: string): string => {
  const oneLine = text
    .slice(0, 200)
    .replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e\xa0-\xff]/g, "?")
    .trim()
  return oneLine.length > 60 ? `${oneLine.slice(0, 60)}…` : oneLine
}
