import * as Cause from "effect/Cause"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type * as Layer from "effect/Layer"
import * as List from "effect/List"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Runtime from "effect/Runtime"
import { logValue } from "../../services/base/model/LogValue.ts"

/**
 * A line of the log as one JSON object: `at`, `level`, `message`, what the fiber is annotated with (a request's id and
 * route), `binding` and `key` where an error among the causes names them, `cause`, and `details` for what else was given.
 */
export const line = ({
  annotations,
  cause,
  date,
  logLevel,
  message,
  spans
}: Logger.Logger.Options<unknown>): string => {
  const given = Array.isArray(message) ? message : [message]
  const words = given.filter((it) => typeof it === "string")
  const errors = given.filter((it) => it instanceof Error)
  const details = given.filter((it) => typeof it !== "string" && !(it instanceof Error))
  const failures = [...Cause.failures(cause), ...errors]
  const causes = [...failures.map(logValue), ...[...Cause.defects(cause)].map(withStack)]
  const told = (name: "binding" | "key") => failures.map((it) => toldBy(it, name)).find((it) => it !== undefined)
  const annotated = Object.fromEntries(
    [...HashMap.entries(annotations)].map(([name, value]) => [name, logValue(value)])
  )
  return JSON.stringify({
    at: date.toISOString(),
    level: logLevel.label,
    message: words.join(" "),
    ...annotated,
    binding: told("binding") ?? annotated.binding,
    key: annotated.key ?? told("key"),
    ...one("cause", causes.length === 0 && !Cause.isEmpty(cause) ? ["interrupted"] : causes),
    ...one("details", details.map(logValue)),
    ...(List.isNil(spans) ? {} : { spans: [...spans].map(({ label }) => label) })
  })
}

/** Prints by the console's own methods: Cloudflare takes the level from them. */
export const logger: Logger.Logger<unknown, void> = Logger.make((options) => {
  // biome-ignore lint/suspicious/noConsole: the log of a Worker is its console.
  console[methodOf(options.logLevel)](line(options))
})

/** In place of Effect's own. */
export const layer: Layer.Layer<never> = Logger.replace(Logger.defaultLogger, logger)

/** Effect's default runtime with this logger, for what runs outside of an isolate's services. */
export const runtime: Runtime.Runtime<never> = Runtime.setFiberRef(
  Runtime.defaultRuntime,
  FiberRef.currentLoggers,
  HashSet.make(logger)
)

// internal

const one = (name: string, values: ReadonlyArray<unknown>): Record<string, unknown> =>
  values.length === 0 ? {} : { [name]: values.length === 1 ? values[0] : values }

/** A mistake of ours is found by its stack. */
const withStack = (defect: unknown): unknown => {
  const told = logValue(defect)
  if (!(defect instanceof Error) || typeof defect.stack !== "string" || typeof told !== "object") return told
  return {
    ...told,
    stack: defect.stack
      .split("\n", 12)
      .slice(1)
      .map((it) => it.trim())
  }
}

/** What the error, or the nearest of those that caused it, says under this name. */
const toldBy = (error: unknown, name: "binding" | "key"): string | undefined => {
  let at = error
  for (let depth = 0; depth < 8 && typeof at === "object" && at !== null; depth++) {
    const said = (at as Record<string, unknown>)[name]
    if (typeof said === "string") return said
    at = (at as { readonly cause?: unknown }).cause
  }
  return undefined
}

const methodOf = ({ _tag }: LogLevel.LogLevel) => {
  switch (_tag) {
    case "Fatal":
    case "Error":
      return "error"
    case "Warning":
      return "warn"
    case "Debug":
    case "Trace":
      return "debug"
    default:
      return "info"
  }
}
