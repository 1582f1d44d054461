import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Application from "../../src/entry/Application.ts"
import { larder } from "../../src/entry/http/apiLarder.ts"
import * as Handlers from "../../src/entry/http/handlers.ts"
import * as Setting from "../../src/services/settings/model/Setting.ts"
import { define } from "../../src/services/store/model/Collection.ts"
import { Store } from "../../src/services/store/Store.ts"

const setting = {
  word: Setting.text({ variable: "GREETING", default: "hello", allowed: "a word", documentation: "." })
}
class Greeting extends Context.Tag("Greeting")<Greeting, Setting.Values<typeof setting>>() {}
const greetings = define("greetings")
const group = HttpApiGroup.make("greeting").add(
  HttpApiEndpoint.get("read", "/api/v1/greeting").addSuccess(Schema.String)
)
const handlers = Handlers.group(larder.add(group), "greeting", (handlers) =>
  Effect.map(Greeting, ({ word }) => handlers.handle("read", () => Effect.succeed(word)))
)
const greet = Effect.gen(function* () {
  const word = new TextEncoder().encode((yield* Greeting).word)
  yield* (yield* Store).set(greetings, "latest", word)
})

/** A third application: one folder a floor in the product, here one page. */
export const tiny = Application.make({
  name: "greeting",
  settings: [Setting.group(Greeting, setting)],
  collections: [greetings],
  under: ["/api/v1/greeting"],
  routes: async () => ({ api: larder.add(group), handlers }),
  jobs: [{ cron: "0 * * * *", name: "greet", run: greet }]
})
