import * as Context from "effect/Context"
import type { SettingsGroup } from "./model/Setting.ts"

/** Every setting that this Worker reads, its applications' included, and the variables it was deployed with. */
export class DeclaredSettings extends Context.Reference<DeclaredSettings>()("larder/DeclaredSettings", {
  defaultValue: (): {
    readonly groups: ReadonlyArray<SettingsGroup>
    readonly deployed: ReadonlyMap<string, string>
  } => ({ groups: [], deployed: new Map() })
}) {}
