export type {
  FacadeOptions,
  FacadePolicy,
  FacadeStats,
  FacadeStore,
  LarderLedger,
  LoadPolicy
} from "../../services/facade/KvFacade.ts"
export type { KvCounts } from "../../services/ledger/Ledger.ts"
export { cached, kvNamespace, larder, larderStats } from "../facade/namespace.ts"
export { type WithLarderOptions, withLarder } from "../facade/withLarder.ts"
