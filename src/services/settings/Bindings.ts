import * as Context from "effect/Context"

/** A binding that is read here, and what its absence means. */
export interface Binding {
  readonly name: string
  readonly bound: boolean
  readonly without: string
  /** A binding of nearly this name that nothing reads, where this one is missing. */
  readonly misspelled?: string
}

/** All bindings, for who asks whether the Worker is well. */
export class AllBindings extends Context.Reference<AllBindings>()("larder/AllBindings", {
  defaultValue: (): ReadonlyArray<Binding> => []
}) {}

/** The Worker's bindings by name, and whether the environment really holds each. */
export class Bindings extends Context.Reference<Bindings>()("larder/Bindings", {
  defaultValue: (): ReadonlyMap<string, boolean> => new Map()
}) {}
