import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Setting from "../../services/settings/model/Setting.ts"
import { declared, defaults, Settings, type SettingsValues, valuesOf } from "../../services/settings/Settings.ts"
import { type Misfit, SettingsError } from "../../services/settings/SettingsError.ts"
import type { Collection } from "../../services/store/model/Collection.ts"

const variable = (name: string): Effect.Effect<Option.Option<string>> =>
  Effect.orElseSucceed(Config.option(Config.string(name)), Option.none)

/** Everything that is wrong with the variables of these groups. */
export const misfitsOf = (groups: ReadonlyArray<Setting.SettingsGroup>): Effect.Effect<ReadonlyArray<Misfit>> =>
  Effect.map(
    Effect.forEach(groups, ({ settings }) =>
      Effect.match(read(settings), { onFailure: ({ misfits }) => misfits, onSuccess: () => [] })
    ),
    (misfits) => misfits.flat()
  )

/** The settings as the environment's variables say; absent ones take their defaults, all wrong ones fail together. */
export const read = <S extends Setting.Settings>(settings: S): Effect.Effect<Setting.Values<S>, SettingsError> =>
  Effect.gen(function* () {
    const values: Record<string, unknown> = {}
    const misfits: Array<Misfit> = []
    for (const [name, setting] of Object.entries(settings)) {
      const text = yield* variable(setting.variable)
      const parsed = Option.isNone(text) ? Either.right(setting.default) : setting.parse(text.value)
      if (Either.isRight(parsed)) values[name] = parsed.right
      else misfits.push({ variable: setting.variable, value: Option.getOrElse(text, () => ""), allowed: parsed.left })
    }
    if (misfits.length > 0) return yield* new SettingsError({ operation: "read", reason: "Invalid", misfits })
    return values as Setting.Values<S>
  })

/** The settings of the cache. @param collections those that the applications declare */
export const config = (collections: ReadonlyArray<Collection> = []): Effect.Effect<SettingsValues, SettingsError> =>
  Effect.map(read(declared), (values) => valuesOf(values, collections))

/** @param collections those that the applications declare */
export const layerWith = (collections: ReadonlyArray<Collection>): Layer.Layer<Settings, SettingsError> =>
  Layer.effect(Settings, config(collections))

export const layer: Layer.Layer<Settings, SettingsError> = layerWith([])

/** The settings of rooms and applications, as the services through which programs read them. */
export const contextOf = <G extends Setting.SettingsGroup>(
  groups: ReadonlyArray<G>
): Effect.Effect<Context.Context<Setting.IdentifierOf<G>>, SettingsError> =>
  Effect.map(
    Effect.forEach(groups, ({ settings, tag }) => Effect.map(read(settings), (values) => [tag.key, values] as const)),
    (services) => Context.unsafeMake(new Map(services))
  )

export const layerGroup = <G extends Setting.SettingsGroup>(
  group: G
): Layer.Layer<Setting.IdentifierOf<G>, SettingsError> => Layer.effectContext(contextOf([group]))

/** The defaults, with some replaced: for tests and replays. */
export const layerOf = (overrides: Partial<SettingsValues> = {}): Layer.Layer<Settings> =>
  Layer.succeed(Settings, { ...defaults, ...overrides })
