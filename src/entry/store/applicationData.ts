import { type Collection, tagIn } from "../../services/store/model/Collection.ts"
import { allows, type Grant } from "../http/authorize.ts"
import { type Problem, problem } from "../http/problem.ts"

/**
 * The refusal for a caller who asks the cache routes for what belongs to an application: nobody may change it there,
 * and who has the scope `admin` may read it. Undefined for every other collection.
 */
export const closedTo = ({ application, name }: Collection, caller: Grant, changes: boolean): Problem | undefined => {
  if (application === undefined || (!changes && allows(caller, "admin"))) return undefined
  const instead =
    application.route === undefined ? "nobody else reads or changes it" : `use ${application.route} instead`
  return problem(
    "application-collection",
    `"${name}" belongs to the application "${application.name}": ${instead}; a key with the scope "admin" may read it here`
  )
}

/** What a caller's tags are to end: those of entries that were put under them, and for an administrator an application's, too. */
export const tagsFor = (
  tags: ReadonlyArray<string>,
  collections: Iterable<Collection>,
  caller: Grant
): ReadonlyArray<string> => {
  if (!allows(caller, "admin")) return tags
  const own = new Set(tags)
  for (const { application, policy } of collections) {
    if (application === undefined) continue
    for (const tag of policy.tags) if (tags.includes(tag)) own.add(tagIn({ application }, tag))
  }
  return [...own]
}
