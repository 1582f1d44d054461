import {
  type Blocked,
  type FailureClass,
  type Failures,
  failureClasses,
  longestOf
} from "../../../services/market/Throttle.ts"

/** Providers that one isolate remembers; the one that failed longest ago is forgotten for another. */
const capacity = 1000

/** What one isolate knows of failing providers. Bounded. */
export const makeKnownFailures = () => {
  const byProvider = new Map<string, Map<FailureClass, Failures>>()

  const of = (provider: string): ReadonlyArray<Blocked> =>
    [...(byProvider.get(provider) ?? [])].map(([failureClass, failures]) => ({ ...failures, failureClass }))

  return {
    get: (provider: string, failureClass: FailureClass): Failures | undefined =>
      byProvider.get(provider)?.get(failureClass),
    /** `undefined` forgets. */
    set: (provider: string, failureClass: FailureClass, failures: Failures | undefined): void => {
      const classes = byProvider.get(provider) ?? new Map<FailureClass, Failures>()
      byProvider.delete(provider)
      if (failures === undefined) classes.delete(failureClass)
      else classes.set(failureClass, failures)
      if (classes.size > 0) byProvider.set(provider, classes)
      if (byProvider.size > capacity) byProvider.delete(byProvider.keys().next().value!)
    },
    /** The classes in which it had failed. */
    forget: (provider: string): ReadonlyArray<FailureClass> => {
      const classes = byProvider.get(provider)
      byProvider.delete(provider)
      return classes === undefined ? [] : failureClasses.filter((failureClass) => classes.has(failureClass))
    },
    blocked: (provider: string, now: number): Blocked | undefined => longestOf(of(provider), now),
    all: (now: number): ReadonlyArray<Blocked & { readonly provider: string }> =>
      [...byProvider.keys()].flatMap((provider) =>
        of(provider)
          .filter(({ until }) => until > now)
          .map((blocked) => ({ ...blocked, provider }))
      )
  }
}
