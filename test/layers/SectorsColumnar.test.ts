import * as SectorsColumnar from "../../src/layers/SectorsColumnar.ts"
import { sectorsContract } from "../contracts/Sectors.ts"

sectorsContract("SectorsColumnar", SectorsColumnar.layer)
