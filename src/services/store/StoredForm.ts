import * as Context from "effect/Context"

/** Whether a reader takes a value in this coding, as it is stored. */
export type Accepts = (coding: string) => boolean

/**
 * The codings in which who reads takes a value as it is stored: then its content type still says so, and nothing was
 * decoded. None where nobody says more.
 */
export class StoredForm extends Context.Reference<StoredForm>()("larder/StoredForm", {
  defaultValue: (): Accepts => () => false
}) {}
