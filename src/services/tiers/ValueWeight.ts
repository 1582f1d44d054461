import * as Context from "effect/Context"

/**
 * Bytes that a value counts for in the memory tier's budget. Its length, except in a replay, where a value only
 * declares the size it stands for.
 */
export class ValueWeight extends Context.Reference<ValueWeight>()("larder/ValueWeight", {
  defaultValue:
    () =>
    (value: Readonly<Uint8Array>): number =>
      value.byteLength
}) {}
