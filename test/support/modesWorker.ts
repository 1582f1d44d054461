import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as App from "../../src/entry/app.ts"
import * as Http from "../../src/entry/http.ts"
import * as Scheduled from "../../src/entry/scheduled.ts"
import * as BackgroundWorker from "../../src/layers/BackgroundWorker.ts"
import * as KvBinding from "../../src/layers/KvBinding.ts"
import * as KvMetered from "../../src/layers/KvMetered.ts"
import * as OutboxKv from "../../src/layers/OutboxKv.ts"
import * as RecordedModeKv from "../../src/layers/RecordedModeKv.ts"
import * as SnapshotsKv from "../../src/layers/SnapshotsKv.ts"
import * as StoresOfRecordBoth from "../../src/layers/StoresOfRecordBoth.ts"

export { CacheDurableObject } from "../../src/entry/CacheDurableObject.ts"

/** Only what lies in the objects' own namespace is provided with it: the stores' `Kv` is that of the application. */
const layer = (env: Required<App.Env>) =>
  StoresOfRecordBoth.layer.pipe(
    Layer.provide(
      Layer.mergeAll(OutboxKv.layer, SnapshotsKv.layer, RecordedModeKv.layer).pipe(
        Layer.provide(KvMetered.layer("CACHE_DO_KV")),
        Layer.provide(KvBinding.layer(env.CACHE_DO_KV))
      )
    ),
    Layer.provideMerge(App.layer(env))
  )

/** Larder's Worker with both stores of record and its crons. */
export default {
  async fetch(request, env, context): Promise<Response> {
    const handle = ManagedRuntime.make(layer(env)).runSync(Http.make)
    return handle(request, BackgroundWorker.make(context))
  },
  async scheduled({ cron }, env, context): Promise<void> {
    const ring = ManagedRuntime.make(layer(env)).runSync(Scheduled.make)
    await ring(cron, BackgroundWorker.make(context))
  }
} satisfies ExportedHandler<Required<App.Env>>
