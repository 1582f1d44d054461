import * as SectorsColumnar from "../../../src/layers/market/SectorsColumnar.ts"
import { sectorsContract } from "../../contracts/market/Sectors.ts"

sectorsContract("SectorsColumnar", SectorsColumnar.layer)
