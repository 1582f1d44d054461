import * as Effect from "effect/Effect"
import {
  limits,
  type ObjectOperation,
  type ObjectOptions,
  type ObjectReason,
  ObjectStoreError
} from "../../../services/files/ObjectStore.ts"
import { BodyRefused } from "./ByteSource.ts"

export const errorOf = (operation: ObjectOperation, reason: ObjectReason, cause?: unknown): ObjectStoreError =>
  new ObjectStoreError({
    operation,
    reason,
    ...(reason === "RateLimited" || reason === "Unavailable" ? { retryAfter: 1 } : {}),
    ...(cause === undefined ? {} : { cause })
  })

export const asking = <A>(operation: ObjectOperation, ask: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.tryPromise({
    try: ask,
    catch: (cause) =>
      cause instanceof ObjectStoreError
        ? cause
        : cause instanceof BodyRefused
          ? errorOf(operation, cause.reason)
          : errorOf(operation, reasonOf(cause), cause)
  })

/** Refuses keys and metadata over the limits before anything is asked. */
export const checked = <A>(
  operation: ObjectOperation,
  keys: ReadonlyArray<string>,
  ask: () => Effect.Effect<A, ObjectStoreError>,
  options?: ObjectOptions
): Effect.Effect<A, ObjectStoreError> => {
  if (keys.length > limits.deleteKeys || keys.some((key) => !isLegalKey(key))) {
    return Effect.fail(errorOf(operation, "BadKey"))
  }
  return options !== undefined && metadataBytes(options) > limits.metadataBytes
    ? Effect.fail(errorOf(operation, "TooLarge"))
    : Effect.suspend(ask)
}

const encoder = new TextEncoder()

const isLegalKey = (key: string): boolean =>
  key !== "" && key.isWellFormed() && encoder.encode(key).byteLength <= limits.keyBytes

const metadataBytes = ({ metadata = {} }: ObjectOptions): number =>
  Object.entries(metadata).reduce((sum, [name, value]) => sum + encoder.encode(name + value).byteLength, 0)

/** From the code that R2 puts behind its message (r2/api/error-codes). */
const reasonOf = (cause: unknown): ObjectReason => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return reasons.get(/\((\d{5})\)/.exec(text)?.[1] ?? "") ?? "Unavailable"
}

const reasons: ReadonlyMap<string, ObjectReason> = new Map([
  ["10020", "BadKey"],
  ["10029", "BadKey"],
  ["10012", "TooLarge"],
  ["10009", "TooLarge"],
  ["100100", "TooLarge"],
  ["10024", "NoSuchUpload"],
  ["10025", "BadPart"],
  ["10048", "BadPart"],
  ["10011", "BadPart"],
  ["10058", "RateLimited"]
])
