/** Sizes at which a handful of small rows takes several segments, each in several parts. */
export const tiny = { wholeBytes: 200, inlineBytes: 300, segmentBytes: 400, blockBytes: 200, partBytes: 150 }
