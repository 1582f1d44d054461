import * as MemoryTierLru from "../../src/layers/MemoryTierLru.ts"
import * as MemoryTierTinyLfu from "../../src/layers/MemoryTierTinyLfu.ts"
import { siblingContract } from "../contracts/MemoryTierSiblings.ts"

siblingContract("MemoryTierTinyLfu", MemoryTierTinyLfu.make)
siblingContract("MemoryTierLru", MemoryTierLru.make)
