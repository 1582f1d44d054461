/** Sizes at which a handful of small rows takes several segments, each in several parts. */
export const tiny = { inlineBytes: 300, segmentBytes: 400, blockBytes: 200, partBytes: 150 }
