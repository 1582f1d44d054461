import type { BudgetReport, BudgetService } from "../../services/budget/Budget.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"

/** The kinds that have an allowance, as a structured list (RFC 9651): `writes;spent=120;of=1000;mode=normal`. */
const textOf = ({ kinds }: BudgetReport): string =>
  (Object.keys(kinds) as Array<KvKind>)
    .map((kind) => `${kind};spent=${kinds[kind]!.spent};of=${kinds[kind]!.allowance};mode=${kinds[kind]!.mode}`)
    .join(", ")

/** Puts `Larder-Budget` on answers to callers with a key, where anything is limited. */
export const make = (
  budget: BudgetService,
  clock: () => number
): ((request: Request, response: Response) => Response) => {
  if (budget.report(clock()) === undefined) return (_request, response) => response
  return (request, response) => {
    if (response.status === 401 || !request.headers.has("X-API-KEY")) return response
    const report = budget.report(clock())
    if (report !== undefined) response.headers.set("Larder-Budget", textOf(report))
    return response
  }
}
