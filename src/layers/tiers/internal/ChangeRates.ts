import { crc32 } from "node:zlib"
import { adaptedTtl } from "../../../services/store/model/Freshness.ts"
import { hashOf } from "../FrequencySketch.ts"

/** Ids whose values are remembered at once; of two that share a place, the later one has it. */
const places = 4096

/** How long loaded entries are to live, learned from whether each load found the value of the one before it. */
export class ChangeRates {
  readonly #hash = new Int32Array(places)
  readonly #value = new Float64Array(places).fill(-1)
  readonly #ttl = new Float64Array(places)

  /** The ttl of an entry that was just loaded, in milliseconds. */
  loaded(id: string, value: Uint8Array, policyTtl: number): number {
    const hash = hashOf(id, 0)
    const place = hash & (places - 1)
    const checksum = crc32(value)
    const before = this.#value[place]!
    const known = before !== -1 && this.#hash[place] === hash
    const ttl = known ? adaptedTtl(this.#ttl[place]!, before !== checksum, policyTtl) : policyTtl
    this.#hash[place] = hash
    this.#value[place] = checksum
    this.#ttl[place] = ttl
    return ttl
  }
}
