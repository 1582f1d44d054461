import * as Layer from "effect/Layer"
import { Background, type BackgroundService } from "../../services/base/Background.ts"
import { logged } from "./internal/logged.ts"

/** In the foreground: the caller goes on when the work is done. For scripts, replays and tests. */
export const make: BackgroundService = { run: logged, promise: () => undefined }

export const layer: Layer.Layer<Background> = Layer.succeed(Background, make)
