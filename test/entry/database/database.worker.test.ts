import { beforeAll, describe, expect, it } from "vitest"
import { renewedDatabase } from "../../support/durable/renewedObject.ts"
import { fileWorker } from "../../support/files/fileWorker.ts"
import { migrated } from "../../support/files/migrated.ts"

renewedDatabase()
beforeAll(async () => {
  await migrated()
})

interface Statement {
  readonly sql: string
  readonly calls: number
  readonly cacheHits: number
  readonly rowsRead: number
  readonly usd: number
}

describe("GET /api/v1/database/statements", () => {
  it("tells what the application's queries cost", async () => {
    const { post, send } = fileWorker()
    const key = crypto.randomUUID()
    await send(`/api/v1/files/${key}`, { method: "PUT", body: "a,b\n" })
    const shared = (await (await post("/api/v1/storage/shares", { key, expiresIn: 60 })).json()) as { url: string }
    for (let i = 0; i < 3; i++) expect(await (await send(shared.url)).text()).toBe("a,b\n")
    const answer = await send("/api/v1/database/statements", { headers: { "X-API-KEY": "reader" } })
    expect(answer.status).toBe(200)
    const { statements } = (await answer.json()) as { statements: ReadonlyArray<Statement> }
    const found = statements.find(({ sql }) => sql === "SELECT * FROM shares WHERE id = ?")
    expect(found).toMatchObject({ calls: 3, cacheHits: 2, rowsRead: 1 })
    expect(found!.usd).toBeCloseTo(0.001 / 1_000_000)
    expect((await send("/api/v1/database/statements", { headers: { "X-API-KEY": "none" } })).status).toBe(401)
  })
})

describe("GET /api/v1/database/advice", () => {
  it("advises on what was asked, where there is an object to try it in", async () => {
    const { send } = fileWorker()
    await send(`/api/v1/files/${crypto.randomUUID()}`, { method: "PUT", body: "a,b\n" })
    await send("/api/v1/storage/usage")
    const answer = await send("/api/v1/database/advice")
    expect(answer.status).toBe(200)
    const { advice, statements } = (await answer.json()) as {
      readonly advice: ReadonlyArray<{ readonly statement: string; readonly usdToBuild: number }>
      readonly statements: number
    }
    expect(statements).toBeGreaterThan(5)
    expect(Array.isArray(advice)).toBe(true)
    const without = fileWorker({ DATABASE_DO: undefined })
    expect((await without.send("/api/v1/database/advice")).status).toBe(503)
  })
})
