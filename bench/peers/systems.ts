import { larderSystems } from "./larderSystems.ts"
import { peerSystems } from "./peerSystems.ts"
import { over, type System } from "./system.ts"

const direct: System = {
  name: "direct KV",
  imports: "export {}",
  open: (kv) =>
    over(kv, {
      get: (key) => kv.get(key),
      put: (key, value) => kv.put(key, value),
      getMany: (keys) => kv.get([...keys])
    })
}

export const systems: ReadonlyArray<System> = [direct, ...larderSystems, ...peerSystems]
