import { it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import type { AlertRule } from "../../../src/services/alerts/model/AlertRule.ts"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import type { Ledger } from "../../../src/services/ledger/Ledger.ts"
import type { Settings } from "../../../src/services/settings/Settings.ts"
import type { Store } from "../../../src/services/store/Store.ts"
import { durableMode } from "../worlds.ts"
import { above, rule } from "./alertRules.ts"
import * as SweepWorld from "./sweepWorld.ts"

export const start = Date.UTC(2026, 0, 5, 15)

export const webhook = "https://hooks.example.com/alerts"

export const hundred = Array.from({ length: 100 }, (_, number) =>
  rule(above(1000), { number, symbol: `S${number % 60}`, webhook })
)

type Mode = () => Layer.Layer<Store | Settings | Ledger>

/** The world of one story: its rules, its receiver, its prices. */
export type World = Effect.Effect.Success<ReturnType<typeof SweepWorld.make>>

export const inWorld = <A, E>(
  rules: ReadonlyArray<AlertRule>,
  body: (world: World) => Effect.Effect<A, E, Ledger | Store>,
  mode: Mode = durableMode
) =>
  Effect.flatMap(SweepWorld.make(rules), body).pipe(Effect.provide(mode()), Logger.withMinimumLogLevel(LogLevel.None))

export const story = (
  title: string,
  rules: ReadonlyArray<AlertRule>,
  body: (world: World) => Effect.Effect<void, unknown, Ledger>,
  mode: Mode = durableMode
) => it.effect(title, () => Effect.zipRight(TestClock.setTime(start), inWorld(rules, body, mode)))

/** The same without waiting for the test clock to see that nothing is left to do: for hundreds of sweeps. */
export const simulated = <A, E>(
  rules: ReadonlyArray<AlertRule>,
  body: (world: World) => Effect.Effect<A, E, Ledger>
): A =>
  Exit.getOrElse(VirtualTime.make(start, 1).run(inWorld(rules, body)), (cause) => {
    throw Cause.squash(cause)
  })

export const later = (duration: Duration.DurationInput) => TestClock.adjust(duration)

export const stateOf = ({ repository }: World, { id }: AlertRule) =>
  Effect.map(repository.get(alertStates, id), Option.getOrThrow)
