/** Why a test of http-cache-tests 0.4.5 fails, by the tests that the reason covers. */
export const explanations: ReadonlyArray<{ readonly tests: RegExp; readonly reason: string }> = [
  {
    tests: /^age-parse-(nonnumeric|negative|float|prefix-twoline|dup-.*|parameter|numeric-parameter)$/,
    reason:
      "this version of the suite wants a response with a malformed or repeated Age to be stale; RFC 9111, 5.1 has a cache ignore a malformed Age and use the first of several, and the suite's later versions test that"
  },
  {
    tests: /^stale-close-/,
    reason:
      "the origin closes the connection and this cache answers 502 or 504, as it must; this version of the suite then looks for a field that only the origin sends, its later versions check that the field is missing"
  },
  {
    tests: /^conditional-lm-fresh-no-lm$/,
    reason:
      "the stored response has no Last-Modified and its Date is later than If-Modified-Since: RFC 9111, 4.3.2 compares with Date, so the answer is 200"
  },
  {
    tests: /^(headers-store-Set-Cookie|304-etag-update-response-Set-Cookie|other-set-cookie)$/,
    reason: "by choice: a cookie never reaches anyone but the client whose request set it (option `setCookie`)"
  },
  {
    tests: /Transfer-Encoding$/,
    reason: "workerd refuses a response with an unknown transfer coding before a Worker sees it"
  },
  { tests: /^invalidate-M-SEARCH/, reason: "workerd answers 501 to a method it does not know before a Worker sees it" },
  {
    tests: /^partial-store-partial-reuse-partial/,
    reason:
      "by choice: the test's response says `Content-Range: bytes 4-9/10`, six bytes, and has five; a part that contradicts itself is not kept"
  },
  {
    tests: /^partial-store-partial-complete$/,
    reason:
      "by choice: parts are put together only under a strong validator (RFC 9110, 15.3.7.3), and the test's response has none"
  }
]

export const explained = (id: string): string | undefined => explanations.find(({ tests }) => tests.test(id))?.reason
