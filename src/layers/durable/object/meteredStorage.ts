import type { Shard } from "../../../services/durable/Shard.ts"

type Rows = Pick<ReturnType<Shard["Type"]["billed"]>, "rowsRead" | "rowsWritten">

/** An object's storage beside its shard's rows, and the rows that it was billed for there. */
export interface MeteredStorage {
  /** Its keys and values lie in a table of the object's SQLite: each that is read, put or deleted is a row. */
  readonly kv: Pick<SyncKvStorage, "get" | "put" | "delete" | "list">
  /** Runs a statement to its end; the rows that it returns. */
  readonly run: <Row extends Record<string, SqlStorageValue>>(
    statement: string,
    ...bindings: ReadonlyArray<SqlStorageValue>
  ) => ReadonlyArray<Row>
  /** Rows since the object was made. */
  readonly billed: () => Rows
}

export const make = ({ kv, sql }: Pick<DurableObjectStorage, "kv" | "sql">): MeteredStorage => {
  let rowsRead = 0
  let rowsWritten = 0
  return {
    kv: {
      get: (key) => {
        rowsRead += 1
        return kv.get(key)
      },
      list: function* <Value>(options?: SyncKvListOptions) {
        for (const pair of kv.list<Value>(options)) {
          rowsRead += 1
          yield pair
        }
      },
      put: (key, value) => {
        rowsWritten += 1
        kv.put(key, value)
      },
      delete: (key) => {
        rowsWritten += 1
        return kv.delete(key)
      }
    },
    run: <Row extends Record<string, SqlStorageValue>>(
      statement: string,
      ...bindings: ReadonlyArray<SqlStorageValue>
    ) => {
      const cursor = sql.exec<Row>(statement, ...bindings)
      const rows = cursor.toArray()
      rowsRead += cursor.rowsRead
      rowsWritten += cursor.rowsWritten
      return rows
    },
    billed: () => ({ rowsRead, rowsWritten })
  }
}

/** The same shard, which is billed for both. */
export const withStorage = (shard: Shard["Type"], storage: MeteredStorage): Shard["Type"] => ({
  ...shard,
  billed: () => {
    const [own, beside] = [shard.billed(), storage.billed()]
    return { rowsRead: own.rowsRead + beside.rowsRead, rowsWritten: own.rowsWritten + beside.rowsWritten }
  }
})
