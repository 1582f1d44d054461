import * as Context from "effect/Context"

/** The Worker's bindings by name, and whether the environment really holds each. */
export class Bindings extends Context.Reference<Bindings>()("larder/Bindings", {
  defaultValue: (): ReadonlyMap<string, boolean> => new Map()
}) {}
