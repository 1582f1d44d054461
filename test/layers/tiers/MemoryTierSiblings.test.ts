import * as MemoryTierLru from "../../../src/layers/tiers/MemoryTierLru.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import { siblingContract } from "../../contracts/tiers/MemoryTierSiblings.ts"

siblingContract("MemoryTierTinyLfu", MemoryTierTinyLfu.make)
siblingContract("MemoryTierLru", MemoryTierLru.make)
