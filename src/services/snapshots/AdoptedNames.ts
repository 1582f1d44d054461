import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/** How long an adopted name is remembered: longer than the outbox can list it. */
export const rememberedFor = Duration.days(8)

/**
 * The outbox names whose writes were adopted, so that no sweep pays for reading them again. Synchronous, as SQLite in
 * an object is. Forgetting one too early costs a read: adoption is idempotent.
 */
export class AdoptedNames extends Context.Tag("larder/AdoptedNames")<
  AdoptedNames,
  {
    /** Those of the names that are not remembered, in their order. */
    readonly unknown: (names: ReadonlyArray<string>) => ReadonlyArray<string>
    /** Remembers a name, and drops those adopted more than {@link rememberedFor} before `now` (milliseconds). */
    readonly remember: (name: string, now: number) => void
  }
>() {}
