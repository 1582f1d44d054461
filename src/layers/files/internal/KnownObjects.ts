import type { BlockIndex } from "../../../services/compression/model/GzipBlocks.ts"
import type { ObjectInfo } from "../../../services/files/ObjectStore.ts"

interface Known {
  readonly info: ObjectInfo
  readonly index: BlockIndex
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

  get(key: string): Known | undefined {
    return this.objects.get(key)
  }

  remember(key: string, known: Known): void {
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
