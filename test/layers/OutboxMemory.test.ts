import * as OutboxMemory from "../../src/layers/OutboxMemory.ts"
import { contract } from "../contracts/Outbox.ts"

contract("OutboxMemory", OutboxMemory.make, { runs: 50 })
