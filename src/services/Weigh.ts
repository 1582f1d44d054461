import * as Context from "effect/Context"

/**
 * Bytes that a value counts for in the memory tier's budget. Its length, except in a replay, where a value only
 * declares the size it stands for.
 */
export class Weigh extends Context.Reference<Weigh>()("larder/Weigh", {
  defaultValue:
    () =>
    (value: Uint8Array): number =>
      value.byteLength
}) {}
