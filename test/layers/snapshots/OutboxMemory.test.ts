import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import { contract } from "../../contracts/snapshots/Outbox.ts"
import { runs } from "../../support/runs.ts"

contract("OutboxMemory", OutboxMemory.make, { runs: runs(50) })
