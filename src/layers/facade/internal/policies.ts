import type { FacadeOptions, FacadePolicy } from "../../../services/facade/KvFacade.ts"

/** The policy of a key: what its longest prefix says, then the options of the namespace, then the defaults. */
export const makePolicies = ({ policies = {}, ...options }: FacadeOptions) => {
  const { cacheTtl = 60, exclusive = false, write = "through" } = options
  const common: Required<FacadePolicy> = { cacheTtl, exclusive, write }
  const byPrefix = Object.entries(policies)
    .sort(([a], [b]) => b.length - a.length)
    .map(([prefix, policy]) => ({ prefix, policy: { ...common, ...policy } }))
  return (key: string): Required<FacadePolicy> =>
    byPrefix.find(({ prefix }) => key.startsWith(prefix))?.policy ?? common
}
