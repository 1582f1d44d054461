import type { BlockIndex } from "../../../services/compression/model/GzipBlocks.ts"
import type { ObjectInfo } from "../../../services/files/ObjectStore.ts"

export interface Known {
  readonly info: ObjectInfo
  readonly index: BlockIndex
}

/** Where indexes outlive an isolate. Both succeed, whatever becomes of it: what is not found is read again. */
export interface IndexShelf {
  readonly get: (key: string) => Promise<Known | undefined>
  readonly put: (key: string, known: Known) => Promise<void>
}

/** Blocks of all indexes together: about 2 MB. */
const maxBlocks = 200_000

/**
 * What an isolate remembers of compressed objects that it opened, so that a range of one is asked for as it is stored, in
 * one operation. A request of it names the version: what was replaced since is not answered.
 */
export class KnownObjects {
  private readonly objects = new Map<string, Known>()
  private blocks = 0

  constructor(private readonly shelf?: IndexShelf) {}

  get(key: string): Known | undefined {
    return this.objects.get(key)
  }

  /** What the isolate knows, or what was known before it. */
  async recall(key: string): Promise<Known | undefined> {
    const known = this.objects.get(key) ?? (await this.shelf?.get(key))
    if (known !== undefined && !this.objects.has(key)) this.keep(key, known)
    return known
  }

  async remember(key: string, known: Known): Promise<void> {
    const before = this.objects.get(key)
    this.keep(key, known)
    if (before?.info.etag !== known.info.etag) await this.shelf?.put(key, known)
  }

  private keep(key: string, known: Known): void {
    this.forget(key)
    this.objects.set(key, known)
    this.blocks += known.index.lengths.length + 1
    for (const oldest of this.objects.keys()) {
      if (this.blocks <= maxBlocks) break
      this.forget(oldest)
    }
  }

  forget(key: string): void {
    const known = this.objects.get(key)
    if (known === undefined) return
    this.objects.delete(key)
    this.blocks -= known.index.lengths.length + 1
  }
}
