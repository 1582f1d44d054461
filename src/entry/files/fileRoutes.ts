import * as Layer from "effect/Layer"
import { database } from "../database/apiDatabase.ts"
import * as HandlersDatabase from "../database/handlersDatabase.ts"
import { larder } from "../http/apiLarder.ts"
import { files } from "./apiFiles.ts"
import { storage } from "./apiStorage.ts"
import * as HandlersFiles from "./handlersFiles.ts"
import * as HandlersStorage from "./handlersStorage.ts"

export const routes = {
  api: larder.add(files).add(storage).add(database),
  handlers: Layer.mergeAll(HandlersFiles.layer, HandlersStorage.layer, HandlersDatabase.layer)
}
