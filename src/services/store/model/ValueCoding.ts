/**
 * How a value is kept that is not kept as it was given: said by a last parameter of the stored content type, so that
 * every codec, tier, snapshot and copy carries it along. `tag` is the validator of the value as it was given, without
 * its quotes: to judge a condition nothing is decoded.
 */
export interface ValueCoding {
  readonly contentType: string
  readonly coding: string
  readonly tag: string
}

export const withCoding = ({ coding, contentType, tag }: ValueCoding): string =>
  `${contentType};larder=${coding}.${tag}`

export const codingOf = (storedContentType: string): ValueCoding | undefined => {
  const found = marker.exec(storedContentType)
  return found === null
    ? undefined
    : { contentType: storedContentType.slice(0, found.index), coding: found[1]!, tag: found[2]! }
}

/** Characters that {@link withCoding} may add. */
export const maxCodingCharacters = 64

const marker = /;larder=([a-z0-9+]{1,24})\.([\w-]{22})$/
