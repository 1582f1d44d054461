/** Tables with foreign keys that no index serves, and queries that join 3 to 10 of them. */

export const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Table {
  readonly rows: number
  /** Column by the table that it refers to. */
  readonly keys: Readonly<Record<string, string>>
  /** Different values of a plain column; the low ones are the most frequent. */
  readonly plain: Readonly<Record<string, number>>
}

export const tables: Readonly<Record<string, Table>> = {
  region: { rows: 50, keys: {}, plain: { zone: 5 } },
  store: { rows: 500, keys: { region_id: "region" }, plain: { size: 40, opened: 300 } },
  customer: { rows: 15_000, keys: { region_id: "region" }, plain: { grade: 8, born: 12_000, city: 900 } },
  brand: { rows: 800, keys: { region_id: "region" }, plain: { rank: 200 } },
  product: { rows: 6000, keys: { brand_id: "brand" }, plain: { kind: 60, price: 3000, color: 12 } },
  purchase: {
    rows: 40_000,
    keys: { customer_id: "customer", store_id: "store" },
    plain: { state: 6, day: 1500, coupon: 9000 }
  },
  item: {
    rows: 60_000,
    keys: { purchase_id: "purchase", product_id: "product" },
    plain: { amount: 30, discount: 200 }
  },
  review: { rows: 20_000, keys: { customer_id: "customer", product_id: "product" }, plain: { stars: 5, length: 4000 } }
}

/** SQL of a value below `n`, squared towards 0, from the row's number. */
const skewed = (n: number, salt: number): string =>
  `CAST(${n} * ((i * ${2_654_435_761 + 2 * salt} % 1000003) / 1000003.0) * ((i * ${40_503 + 2 * salt} % 999983) / 999983.0) AS INTEGER)`

export const schemaSql = Object.entries(tables).flatMap(([name, { keys, plain, rows }]) => {
  const columns = [...Object.keys(keys), ...Object.keys(plain)]
  const values = [
    ...Object.values(keys).map((other, k) => `1 + ${skewed(tables[other]!.rows - 1, k * 7919)}`),
    ...Object.values(plain).map((n, k) => skewed(n, 31 + k * 104_729))
  ]
  return [
    `CREATE TABLE ${name} (id INTEGER PRIMARY KEY, ${columns.map((column) => `${column} INTEGER`).join(", ")})`,
    `WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < ${rows})
     INSERT INTO ${name} (id, ${columns.join(", ")}) SELECT i, ${values.join(", ")} FROM r`
  ]
})

interface Edge {
  readonly from: string
  readonly column: string
  readonly to: string
}

const edges: ReadonlyArray<Edge> = Object.entries(tables).flatMap(([from, { keys }]) =>
  Object.entries(keys).map(([column, to]) => ({ from, column, to }))
)

/** A query that walks foreign keys up, and down once or twice, with conditions on some of its tables. */
export const queryOf = (seed: number): string => {
  const draw = random(seed)
  const names = Object.keys(tables)
  const wanted = 3 + draw(8)
  const aliases: Array<readonly [alias: string, table: string]> = []
  const joins: Array<string> = []
  const start = ["item", "purchase", "review", "customer", "product"][draw(5)]!
  aliases.push(["a0", start])
  let down = 0
  for (let guard = 0; aliases.length <= wanted && guard < 200; guard++) {
    const [alias, table] = aliases[draw(aliases.length)]!
    const around = edges.filter(({ from, to }) => from === table || (to === table && down < 2))
    if (around.length === 0) continue
    const { column, from, to } = around[draw(around.length)]!
    const fresh = `a${aliases.length}`
    const isUp = from === table
    if (!isUp && (table === "region" || table === "store" || table === "brand")) continue
    if (!isUp) down += 1
    aliases.push([fresh, isUp ? to : from])
    joins.push(
      isUp
        ? `JOIN ${to} ${fresh} ON ${alias}.${column} = ${fresh}.id`
        : `JOIN ${from} ${fresh} ON ${fresh}.${column} = ${alias}.id`
    )
  }
  const conditions: Array<string> = []
  for (const [alias, table] of aliases) {
    if (alias !== "a0" && draw(3) > 0) continue
    const plain = Object.entries(tables[table]!.plain)
    const [column, values] = plain[draw(plain.length)]!
    // Low values are frequent: skewed queries over skewed data.
    const value = Math.floor((values * draw(100) * draw(100)) / 10_000)
    conditions.push(
      draw(4) === 0 ? `${alias}.${column} > ${Math.floor(values * 0.8)}` : `${alias}.${column} = ${value}`
    )
  }
  if (!names.includes(start)) throw new Error(start)
  const order = draw(3) === 0 ? ` ORDER BY a0.${Object.keys(tables[start]!.plain)[0]} LIMIT 20` : ""
  const what = order === "" ? "count(*)" : "a0.id"
  return `SELECT ${what} FROM ${start} a0 ${joins.join(" ")} WHERE ${conditions.join(" AND ")}${order}`
}
