import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { UploadError } from "../../programs/files/uploadByParts.ts"
import type { FileCatalogError } from "../../services/files/FileCatalog.ts"
import { maxBodyBytes } from "../../services/files/model/FileLimits.ts"
import type { ObjectStoreError } from "../../services/files/ObjectStore.ts"
import type { PresignError } from "../../services/files/PresignedUrls.ts"
import { type Problem, problem, secondsToMidnight } from "../http/problem.ts"

export type FileError = ObjectStoreError | FileCatalogError | PresignError | UploadError

/** Seconds between two sweeps of what has expired: when storage may be free again. */
const sweepSeconds = 900

export const noSuchFile = problem("no-such-file", "nothing is stored under this name, or it has expired")

/** What a failure of the file application is to a client. `now` in milliseconds since the epoch. */
export const fromFileError = (error: FileError, now: number): Problem => {
  switch (error._tag) {
    case "ObjectStoreError":
      return fromObjectError(error)
    case "FileCatalogError":
      return fromCatalogError(error, now)
    case "PresignError":
      return error.reason === "NotConfigured"
        ? problem(
            "no-link-credentials",
            "set R2_ACCOUNT_ID, R2_BUCKET, R2_ACCESS_KEY_ID and the secret R2_SECRET_ACCESS_KEY; docs/files.md says how"
          )
        : problem("invalid-body", `links.${error.index ?? 0}: a PUT needs contentType and contentLength`)
    case "UploadError":
      return fromUploadError(error)
  }
}

/** An effect whose failure is the client's problem. */
export const refusing = <A, R>(effect: Effect.Effect<A, FileError | Problem, R>): Effect.Effect<A, Problem, R> =>
  Effect.catchAll(effect, (error) =>
    error._tag === "Problem"
      ? Effect.fail(error)
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.zipRight(
            error.reason === "Unavailable"
              ? Effect.annotateLogs(Effect.logWarning("the file application failed", error), {
                  binding: error._tag === "ObjectStoreError" ? "FILES" : "DB"
                })
              : Effect.void,
            Effect.fail(fromFileError(error, now))
          )
        )
  )

const fromObjectError = ({ operation, reason, retryAfter = 1 }: ObjectStoreError): Problem => {
  switch (reason) {
    case "BadKey":
      return problem("bad-key", "R2 would not take this name")
    case "TooLarge":
      return problem("too-large", `a body holds at most ${maxBodyBytes} bytes; upload larger files by parts`)
    case "ConditionFailed":
      return problem("condition-failed", "the file is not the one that the condition names")
    case "IncompleteBody":
      return problem("incomplete-body", "the body ended early, and nothing of it is kept")
    case "NoSuchUpload":
      return noSuchUpload
    case "BadPart":
      return problem("bad-parameter", "R2 would not take this part")
    case "RateLimited":
      return problem("rate-limited", "one file takes one write a second", { retryAfter })
    case "NotBound":
      return problem("no-bucket", "bind an R2 bucket as FILES in wrangler.toml; docs/files.md says how")
    case "Changed":
    case "Unavailable":
      return operation === "open" || operation === "read" || operation === "head"
        ? problem("unavailable", "the bucket did not answer", { retryAfter })
        : problem("not-stored", "the bucket did not take it; the same request may be sent again", { retryAfter })
  }
}

const fromCatalogError = ({ reason }: FileCatalogError, now: number): Problem => {
  switch (reason) {
    case "OverBytes":
      return problem(
        "over-quota",
        "the bytes of this key's quota are used up or reserved: delete files, or let them expire",
        {
          retryAfter: sweepSeconds
        }
      )
    case "OverObjects":
      return problem("over-quota", "this key has as many files as its quota allows, reserved ones included", {
        retryAfter: sweepSeconds
      })
    case "OverRequests":
      return problem("over-quota", "the requests of this key's day are used up; they are renewed at 00:00 UTC", {
        retryAfter: secondsToMidnight(now)
      })
    case "NotBound":
      return problem("no-database", "bind a D1 database as DB in wrangler.toml; docs/files.md says how")
    case "NotMigrated":
      return problem("no-database", "run `npx wrangler d1 migrations apply DB`, with --local or --remote")
    case "Unavailable":
      return problem("unavailable", "the catalogue of files did not answer; the same request may be sent again", {
        retryAfter: 1
      })
  }
}

const noSuchUpload = problem("no-such-upload", "it is unknown, complete, aborted, or older than seven days")

const fromUploadError = ({ detail, reason }: UploadError): Problem => {
  switch (reason) {
    case "Absent":
      return noSuchUpload
    case "WrongPart":
      return problem("bad-parameter", detail)
    case "Missing":
      return problem("incomplete-upload", detail)
  }
}
