import * as Context from "effect/Context"

/**
 * Whose requests a read belongs to: a user's session, a device. Predictions are made within one. Without it the reads of
 * one invocation are taken for a session; `null` for what is nobody's and teaches nothing, such as a cron.
 */
export class Session extends Context.Reference<Session>()("larder/Session", {
  defaultValue: (): string | null | undefined => undefined
}) {}

/** 1 to 128 visible ASCII characters; anything else is no session. */
export const isSession = (text: string): boolean => /^[\x21-\x7e]{1,128}$/.test(text)
