import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import { contract } from "../../contracts/snapshots/Snapshots.ts"

contract("SnapshotsMemory", SnapshotsMemory.make, { runs: 50 })
