import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import { contract } from "../../contracts/snapshots/Snapshots.ts"
import { runs } from "../../support/runs.ts"

contract("SnapshotsMemory", SnapshotsMemory.make, { runs: runs(50) })
