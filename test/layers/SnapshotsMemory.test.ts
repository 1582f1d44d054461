import * as SnapshotsMemory from "../../src/layers/SnapshotsMemory.ts"
import { contract } from "../contracts/Snapshots.ts"

contract("SnapshotsMemory", SnapshotsMemory.make, { runs: 50 })
