import { type ActiveTime, makeActiveTime } from "../../../services/durable/model/ActiveTime.ts"
import type { Ledger } from "../../../services/ledger/Ledger.ts"
import { type Billed, recordRpc } from "./shardProtocol.ts"

/** The part of the binding that is used. */
export interface ShardNamespace {
  readonly getByName: (name: string) => unknown
}

/** By ledger, which objects are at work. */
const working = new WeakMap<Ledger["Type"], ActiveTime>()

const workingFor = (ledger: Ledger["Type"]): ActiveTime => {
  const known = working.get(ledger)
  if (known !== undefined) return known
  const made = makeActiveTime()
  working.set(ledger, made)
  return made
}

/**
 * One RPC of an object, billed whether it is answered or not: the request, how long the object worked, and what its
 * reply says that it has cost.
 */
export const billedRpc = async <Stub, Reply>(
  namespace: ShardNamespace,
  ledger: Ledger["Type"],
  name: string,
  ask: (object: Stub) => Promise<Reply>
): Promise<Reply> => {
  const active = workingFor(ledger)
  let billed: Billed | undefined
  active.begin(name, Date.now())
  try {
    const reply = await ask(namespace.getByName(name) as Stub)
    billed = billedIn(reply)
    return reply
  } finally {
    recordRpc(ledger, billed, active.end(name, Date.now()))
  }
}

const billedIn = (reply: unknown): Billed | undefined =>
  typeof reply === "object" && reply !== null && "billed" in reply ? (reply.billed as Billed) : undefined
