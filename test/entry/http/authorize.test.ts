import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { authenticate, parse, type Scope } from "../../../src/entry/http/authorize.ts"
import { Problem } from "../../../src/entry/http/problem.ts"

const scopesOf = (secret: string, key: string): ReadonlyArray<string> | number => {
  const found = authenticate(parse(secret).keys, key)
  return found instanceof Problem ? found.status : [...found.scopes].sort()
}

const everything = ["admin", "read", "write"]

describe("API_KEYS", () => {
  it("gives a key alone every scope, and one with scopes just these", () => {
    expect(scopesOf("k", "k")).toStrictEqual(everything)
    expect(scopesOf("a,k=read", "k")).toStrictEqual(["read"])
    expect(scopesOf(" a , k=read+write ", "k")).toStrictEqual(["read", "write"])
    expect(scopesOf("k=admin", "k")).toStrictEqual(["admin"])
  })

  it("keeps base64 keys whole", () => {
    for (const key of ["abc=", "abc==", "a+b/c="]) {
      expect(scopesOf(key, key)).toStrictEqual(everything)
      expect(scopesOf(`${key}=read`, key)).toStrictEqual(["read"])
    }
  })

  it("takes keys of up to 256 bytes, and none that are empty", () => {
    const long = "k".repeat(256)
    expect(scopesOf(long, long)).toStrictEqual(everything)
    expect(scopesOf(long, `${long}k`)).toBe(401)
    expect(scopesOf(long, long.slice(1))).toBe(401)
    expect(parse(`a,${long}k,=read,=read+write`).mistakes).toStrictEqual([2, 3, 4])
  })

  it("leaves out a part with an unknown scope, and says which it was", () => {
    const { keys, mistakes } = parse("a,k=reed,b=read+,c=READ")
    expect(mistakes).toStrictEqual([2, 3, 4])
    expect(keys).toHaveLength(1)
    for (const key of ["k", "k=reed", "b", "c"]) expect(scopesOf("a,k=reed,b=read+,c=READ", key)).toBe(401)
  })

  it("knows exactly the keys it was given", () => {
    const key = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(..."abcXYZ019-_/+=") })
    const plain = key.filter((it) => !/=/.test(it))
    const some = fc.uniqueArray(fc.constantFrom<Scope>("read", "write", "admin"), { minLength: 1 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(plain, some), { selector: ([key]) => key }), key, (keys, other) => {
        const secret = keys.map(([key, scopes]) => `${key}=${scopes.join("+")}`).join()
        for (const [key, scopes] of keys) expect(scopesOf(secret, key)).toStrictEqual([...scopes].sort())
        if (keys.length > 0 && !keys.some(([key]) => key === other)) expect(scopesOf(secret, other)).toBe(401)
      })
    )
  })

  it("empty, lets nobody in", () => {
    for (const secret of ["", ",", " , "]) {
      expect(scopesOf(secret, "")).toBe(503)
      expect(scopesOf(secret, ",")).toBe(503)
    }
    expect(scopesOf("k", "")).toBe(401)
  })
})
