import { concat } from "../../../services/base/model/ByteCodec.ts"

/** Why a body cannot be taken: over the limit, or not of the length that was declared. */
export class BodyRefused extends Error {
  constructor(readonly reason: "TooLarge" | "IncompleteBody") {
    super(reason)
  }
}

/** A body read in pieces of a wanted size, counted on the way. */
export class ByteSource {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>
  private rest: Uint8Array = new Uint8Array(0)
  /** Bytes that were read. */
  bytes = 0
  ended = false

  /** @param length bytes that there must be in all, where they are known */
  constructor(
    body: ReadableStream<Uint8Array>,
    private readonly limit: number,
    private readonly length: number | undefined
  ) {
    if (length !== undefined && length > limit) {
      body.cancel().catch(() => undefined)
      throw new BodyRefused("TooLarge")
    }
    this.reader = body.getReader()
    this.reader.closed.catch(() => undefined)
  }

  /** The next bytes, as they come; undefined at the end. */
  async chunk(): Promise<Uint8Array | undefined> {
    if (this.rest.byteLength > 0) {
      const { rest } = this
      this.rest = new Uint8Array(0)
      return rest
    }
    if (this.ended) return undefined
    const { done, value } = await this.next()
    if (done) {
      this.ended = true
      if (this.length !== undefined && this.bytes !== this.length) throw new BodyRefused("IncompleteBody")
      return undefined
    }
    this.bytes += value.byteLength
    if (this.bytes > this.limit) throw new BodyRefused("TooLarge")
    if (this.length !== undefined && this.bytes > this.length) throw new BodyRefused("IncompleteBody")
    return value
  }

  /** As many bytes, or fewer at the end. */
  async take(size: number): Promise<Uint8Array> {
    const chunks: Array<Uint8Array> = []
    let held = 0
    while (held < size) {
      const chunk = await this.chunk()
      if (chunk === undefined) break
      const taken = chunk.subarray(0, size - held)
      chunks.push(taken)
      held += taken.byteLength
      this.rest = chunk.subarray(taken.byteLength)
    }
    return concat(chunks)
  }

  cancel(): void {
    this.reader.cancel().catch(() => undefined)
  }

  private async next() {
    try {
      return await this.reader.read()
    } catch {
      throw new BodyRefused("IncompleteBody")
    }
  }
}

/** Bytes as a stream of one chunk. */
export const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      if (bytes.byteLength > 0) controller.enqueue(bytes)
      controller.close()
    }
  })
