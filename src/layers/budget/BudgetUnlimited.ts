import * as Layer from "effect/Layer"
import { Budget, unlimited } from "../../services/budget/Budget.ts"

/** Nothing is limited. */
export const layer: Layer.Layer<Budget> = Layer.succeed(Budget, unlimited)
