import * as Layer from "effect/Layer"
import * as RetryPolicyCron from "../layers/kv/RetryPolicyCron.ts"
import * as ModeHeartbeatBinding from "../layers/migration/ModeHeartbeatBinding.ts"
import * as RecordedModeKv from "../layers/migration/RecordedModeKv.ts"
import * as StoresOfRecordBoth from "../layers/migration/StoresOfRecordBoth.ts"
import * as NotifierWebhook from "../layers/notifications/NotifierWebhook.ts"
import * as RepositoryStore from "../layers/repository/RepositoryStore.ts"
import * as SettingsConfig from "../layers/settings/SettingsConfig.ts"
import * as OutboxKv from "../layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../layers/snapshots/SnapshotsKv.ts"
import { notificationSettings } from "../services/notifications/NotificationSettings.ts"
import { type Env, kv } from "./app.ts"
import { objectsOf } from "./objectBindings.ts"
import { variablesOf } from "./variables.ts"

const notifier = (env: Env) =>
  Layer.provide(
    NotifierWebhook.layer(variablesOf(env)),
    Layer.merge(RetryPolicyCron.layer, SettingsConfig.layerGroup(notificationSettings, variablesOf(env)))
  )

/** With objects, both stores of record can be reached, whichever is in force. */
const storesOfRecord = (env: Env) => {
  const objects = objectsOf(env)
  if (objects === undefined) return Layer.empty
  const outside = Layer.mergeAll(OutboxKv.layer, SnapshotsKv.layer, RecordedModeKv.layer).pipe(
    Layer.provide(kv("CACHE_DO_KV", objects.CACHE_DO_KV, "counting"))
  )
  return Layer.provide(StoresOfRecordBoth.layer, Layer.merge(outside, ModeHeartbeatBinding.layer(objects.CACHE_DO)))
}

/**
 * What applications and the operations of the cache are offered beside the services of app.ts, over these. Evaluated and
 * built when the first request or cron trigger needs it.
 */
export const layer = (env: Env) => Layer.mergeAll(RepositoryStore.layer, notifier(env), storesOfRecord(env))
