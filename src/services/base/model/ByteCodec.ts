/** Appends values to a growing buffer. Whatever JavaScript number or string goes in comes back the same. */
export class ByteWriter {
  private buffer: Uint8Array
  private length = 0

  constructor(capacity = 1024) {
    this.buffer = new Uint8Array(capacity)
  }

  /** What was written, as a view of the buffer. */
  written(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  byte(value: number): void {
    this.room(1)
    this.buffer[this.length++] = value
  }

  uint32(value: number): void {
    this.room(4)
    viewOf(this.buffer).setUint32(this.length, value, true)
    this.length += 4
  }

  /** LEB128 of a safe integer from 0. */
  varint(value: number): void {
    this.room(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.length++] = rest
  }

  /** A safe integer from 0 in few bytes; any other number behind a 0, as its eight. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && value < Number.MAX_SAFE_INTEGER && value >= 0 && !Object.is(value, -0)) {
      this.varint(value + 1)
    } else {
      this.byte(0)
      this.room(8)
      viewOf(this.buffer).setFloat64(this.length, value, true)
      this.length += 8
    }
  }

  /** UTF-8; UTF-16 for a string that has none, being ill-formed. The parity of the length tells. */
  string(value: string): void {
    if (value.isWellFormed()) {
      const bytes = encoder.encode(value)
      this.varint(bytes.byteLength * 2)
      this.raw(bytes)
    } else {
      this.varint(value.length * 4 + 1)
      for (let i = 0; i < value.length; i++) {
        this.byte(value.charCodeAt(i) & 0xff)
        this.byte(value.charCodeAt(i) >> 8)
      }
    }
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.byteLength)
    this.buffer.set(bytes, this.length)
    this.length += bytes.byteLength
  }

  private room(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.byteLength) return
    const grown = new Uint8Array(Math.max(needed, this.buffer.byteLength * 2))
    grown.set(this.written())
    this.buffer = grown
  }
}

/** What {@link ByteReader} throws at bytes that {@link ByteWriter} cannot have written. */
export class Malformed extends Error {}

/** Reads what {@link ByteWriter} wrote; never past the end, nor makes room for more than there is. */
export class ByteReader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get remaining(): number {
    return this.bytes.byteLength - this.at
  }

  byte(): number {
    return this.bytes[this.advance(1)]!
  }

  uint32(): number {
    return viewOf(this.bytes).getUint32(this.advance(4), true)
  }

  varint(): number {
    let value = 0
    for (let unit = 1; unit <= 0x80 ** 7; unit *= 0x80) {
      const next = this.byte()
      value += (next & 0x7f) * unit
      if (next < 0x80 && Number.isSafeInteger(value)) return value
    }
    throw new Malformed("a number too large")
  }

  number(): number {
    const value = this.varint()
    return value === 0 ? viewOf(this.bytes).getFloat64(this.advance(8), true) : value - 1
  }

  string(): string {
    const tagged = this.varint()
    const bytes = this.view(Math.floor(tagged / 2))
    return tagged % 2 === 0 ? utf8(bytes) : utf16(bytes)
  }

  /** A view of the next bytes. */
  view(length: number): Uint8Array {
    const from = this.advance(length)
    return this.bytes.subarray(from, from + length)
  }

  /** A list whose every element takes a byte at least. */
  list<A>(element: () => A): Array<A> {
    const count = this.varint()
    if (count > this.remaining) throw new Malformed("a list longer than what holds it")
    const elements: Array<A> = []
    for (let i = 0; i < count; i++) elements.push(element())
    return elements
  }

  end(): void {
    if (this.remaining !== 0) throw new Malformed("bytes after the end")
  }

  private advance(length: number): number {
    if (length > this.remaining) throw new Malformed("ends too early")
    const from = this.at
    this.at += length
    return from
  }
}

/** Whether two values are the same, byte for byte. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.byteLength !== b.byteLength) return false
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false
  return true
}

/** One after the other; a single one as it is. */
export const concat = <B extends Uint8Array>(pieces: ReadonlyArray<B>): B | Uint8Array<ArrayBuffer> => {
  if (pieces.length === 1) return pieces[0]!
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const utf8 = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Malformed("not UTF-8")
  }
}

const utf16 = (bytes: Uint8Array): string => {
  if (bytes.byteLength % 2 !== 0) throw new Malformed("half a UTF-16 unit")
  let text = ""
  for (let i = 0; i < bytes.byteLength; i += 2) text += String.fromCharCode(bytes[i]! | (bytes[i + 1]! << 8))
  return text
}
