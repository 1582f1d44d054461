import { alwaysAfresh, type Owner, type PolicyInput } from "../../store/model/Collection.ts"

// What an isolate has to know of these collections when it starts. Their keys and values need schemas, which it evaluates
// when an application is asked for.

interface Declaration {
  readonly name: string
  readonly application: Owner
  readonly policy: PolicyInput
}

export const alertRules = {
  name: "alert-rules",
  application: { name: "market", route: "/api/v1/alerts" },
  policy: { ttl: Number.POSITIVE_INFINITY, ...alwaysAfresh, packed: true }
} satisfies Declaration

export const alertStates = {
  name: "alert-states",
  application: { name: "market", route: "/api/v1/alerts/{id}" },
  policy: { ttl: Number.POSITIVE_INFINITY, ...alwaysAfresh, packed: true }
} satisfies Declaration

export const deadLetters = {
  name: "dead-letters",
  application: { name: "market" },
  policy: { ttl: "30 days", ...alwaysAfresh }
} satisfies Declaration
