import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import { contract } from "../../contracts/snapshots/Outbox.ts"

contract("OutboxMemory", OutboxMemory.make, { runs: 50 })
