import * as Context from "effect/Context"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Setting from "../../services/settings/model/Setting.ts"
import { declared, defaults, Settings, type SettingsValues, valuesOf } from "../../services/settings/Settings.ts"
import { type Misfit, SettingsError } from "../../services/settings/SettingsError.ts"
import type { Collection } from "../../services/store/model/Collection.ts"

/** The environment's variables as text. Settings are read of them without Effect: an isolate's first request waits. */
export type Variables = ReadonlyMap<string, string>

/** Everything that is wrong with the variables of these groups. */
export const misfitsOf = (groups: ReadonlyArray<Setting.SettingsGroup>, variables: Variables): ReadonlyArray<Misfit> =>
  groups.flatMap(({ settings }) =>
    Either.match(read(settings, variables), { onLeft: ({ misfits }) => misfits, onRight: () => [] })
  )

/** The settings as the variables say; absent ones take their defaults, all wrong ones fail together. */
export const read = <S extends Setting.Settings>(
  settings: S,
  variables: Variables
): Either.Either<Setting.Values<S>, SettingsError> => {
  const values: Record<string, unknown> = {}
  const misfits: Array<Misfit> = []
  for (const [name, setting] of Object.entries(settings)) {
    const value = variables.get(setting.variable)
    const parsed = value === undefined ? Either.right(setting.default) : setting.parse(value)
    if (Either.isRight(parsed)) values[name] = parsed.right
    else misfits.push({ variable: setting.variable, value: value!, allowed: parsed.left })
  }
  return misfits.length === 0
    ? Either.right(values as Setting.Values<S>)
    : Either.left(new SettingsError({ operation: "read", reason: "Invalid", misfits }))
}

/** The settings of the cache. @param collections those that the applications declare */
export const config = (
  variables: Variables,
  collections: ReadonlyArray<Collection> = []
): Either.Either<SettingsValues, SettingsError> =>
  Either.map(read(declared, variables), (values) => valuesOf(values, collections))

/** The settings of rooms and applications, as the services through which programs read them. */
export const contextOf = <G extends Setting.SettingsGroup>(
  groups: ReadonlyArray<G>,
  variables: Variables
): Either.Either<Context.Context<Setting.IdentifierOf<G>>, SettingsError> =>
  Either.map(
    Either.all(
      groups.map(({ settings, tag }) => Either.map(read(settings, variables), (values) => [tag.key, values] as const))
    ),
    (services) => Context.unsafeMake(new Map<string, unknown>(services))
  )

export const layerGroup = <G extends Setting.SettingsGroup>(
  group: G,
  variables: Variables
): Layer.Layer<Setting.IdentifierOf<G>, SettingsError> => Layer.effectContext(contextOf([group], variables))

/** The defaults, with some replaced: for tests and replays. */
export const layerOf = (overrides: Partial<SettingsValues> = {}): Layer.Layer<Settings> =>
  Layer.succeed(Settings, { ...defaults, ...overrides })
