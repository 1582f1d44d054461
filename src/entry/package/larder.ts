export type { FacadeOptions, FacadeStats, LoadPolicy } from "../../services/facade/KvFacade.ts"
export { cached, kvNamespace, larderStats } from "../facade/namespace.ts"
export { type WithLarderOptions, withLarder } from "../facade/withLarder.ts"
