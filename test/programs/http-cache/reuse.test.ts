import { at, fresh, testLaws } from "../../support/http-cache/reuseLaws.ts"

testLaws("response directives (RFC 9111, 5.2.2)", [
  { law: "no-store", reply: { "cache-control": `${fresh}, No-StOrE` }, outcome: "asked" },
  { law: "private", reply: { "cache-control": `private, ${fresh}` }, outcome: "asked" },
  {
    law: "no-cache is validated",
    reply: { "cache-control": `no-cache, ${fresh}`, etag: '"1"' },
    outcome: "validated"
  },
  { law: "no-cache without a validator", reply: { "cache-control": `no-cache, ${fresh}` }, outcome: "asked" },
  { law: "must-revalidate while fresh", reply: { "cache-control": `must-revalidate, ${fresh}` }, outcome: "stored" },
  {
    law: "must-understand over no-store",
    reply: { "cache-control": `no-store, must-understand, ${fresh}` },
    outcome: "stored"
  },
  {
    law: "must-understand of what nobody knows",
    status: 599,
    reply: { "cache-control": `must-understand, ${fresh}` },
    outcome: "asked"
  },
  { law: "Set-Cookie", reply: { "cache-control": `public, ${fresh}`, "set-cookie": "a=b" }, outcome: "asked" },
  {
    law: "Set-Cookie that no-cache names",
    reply: { "cache-control": `no-cache="set-cookie", ${fresh}`, "set-cookie": "a=b" },
    outcome: "stored"
  }
])

testLaws("Authorization (RFC 9111, 3.5)", [
  {
    law: "nothing allows to share",
    ask: { authorization: "x" },
    reply: { "cache-control": fresh },
    outcome: "asked"
  },
  {
    law: "public does",
    ask: { authorization: "x" },
    reply: { "cache-control": `public, ${fresh}` },
    outcome: "stored"
  },
  {
    law: "must-revalidate does",
    ask: { authorization: "x" },
    reply: { "cache-control": `must-revalidate, ${fresh}` },
    outcome: "stored"
  },
  {
    law: "s-maxage does",
    ask: { authorization: "x" },
    reply: { "cache-control": "s-maxage=3600" },
    outcome: "stored"
  }
])

testLaws("request directives (RFC 9111, 5.2.1)", [
  {
    law: "no-cache",
    reply: { "cache-control": fresh, etag: '"1"' },
    again: { "cache-control": "no-cache" },
    outcome: "validated"
  },
  {
    law: "max-age=0",
    reply: { "cache-control": fresh },
    wait: 1,
    again: { "cache-control": "max-age=0" },
    outcome: "asked"
  },
  {
    law: "max-age of more than its age",
    reply: { "cache-control": fresh },
    wait: 9,
    again: { "cache-control": "max-age=10" },
    outcome: "stored"
  },
  {
    law: "min-fresh of less",
    reply: { "cache-control": fresh },
    again: { "cache-control": "min-fresh=3600" },
    outcome: "stored"
  },
  {
    law: "min-fresh of more",
    reply: { "cache-control": fresh },
    again: { "cache-control": "min-fresh=3601" },
    outcome: "asked"
  },
  {
    law: "max-stale",
    reply: { "cache-control": "max-age=1" },
    wait: 5,
    again: { "cache-control": "max-stale=4" },
    outcome: "stored"
  },
  {
    law: "max-stale, passed",
    reply: { "cache-control": "max-age=1" },
    wait: 6,
    again: { "cache-control": "max-stale=4" },
    outcome: "asked"
  },
  {
    law: "max-stale without a limit",
    reply: { "cache-control": "max-age=1" },
    wait: 999,
    again: { "cache-control": "max-stale" },
    outcome: "stored"
  },
  {
    law: "max-stale against must-revalidate",
    reply: { "cache-control": "max-age=1, must-revalidate" },
    wait: 5,
    again: { "cache-control": "max-stale=4" },
    outcome: "asked"
  },
  { law: "no-store", reply: { "cache-control": fresh }, again: { "cache-control": "no-store" }, outcome: "asked" }
])

testLaws("Vary (RFC 9111, 4.1)", [
  {
    law: "the same value",
    reply: { "cache-control": fresh, vary: "Foo" },
    ask: { foo: "1" },
    again: { foo: "1" },
    outcome: "stored"
  },
  {
    law: "another value",
    reply: { "cache-control": fresh, vary: "Foo" },
    ask: { foo: "1" },
    again: { foo: "2" },
    outcome: "asked"
  },
  { law: "none", reply: { "cache-control": fresh, vary: "Foo" }, ask: { foo: "1" }, outcome: "asked" },
  {
    law: "*",
    reply: { "cache-control": fresh, vary: "Foo, *" },
    ask: { foo: "1" },
    again: { foo: "1" },
    outcome: "asked"
  },
  {
    law: "spaces around commas",
    reply: { "cache-control": fresh, vary: "Foo" },
    ask: { foo: "1,2" },
    again: { foo: "1,   2" },
    outcome: "stored"
  },
  {
    law: "languages in another order and case",
    reply: { "cache-control": fresh, vary: "Accept-Language" },
    ask: { "accept-language": "en, de" },
    again: { "accept-language": "De, eN" },
    outcome: "stored"
  },
  {
    law: "languages with other weights",
    reply: { "cache-control": fresh, vary: "Accept-Language" },
    ask: { "accept-language": "en, de" },
    again: { "accept-language": "en, de;q=0.5" },
    outcome: "asked"
  },
  {
    law: "the language liked best is stored",
    reply: { "cache-control": fresh, vary: "Accept-Language", "content-language": "de" },
    ask: { "accept-language": "en, de" },
    again: { "accept-language": "fr;q=0.5, de" },
    outcome: "stored"
  },
  {
    law: "it is only the second best",
    reply: { "cache-control": fresh, vary: "Accept-Language", "content-language": "de" },
    ask: { "accept-language": "en, de" },
    again: { "accept-language": "fr, de;q=0.5" },
    outcome: "asked"
  },
  { law: "Cookie without Vary", reply: { "cache-control": fresh }, again: { cookie: "a=b" }, outcome: "stored" }
])

testLaws("CDN-Cache-Control (RFC 9213)", [
  { law: "alone", reply: { "cdn-cache-control": fresh }, wait: 9, outcome: "stored" },
  {
    law: "before Cache-Control, longer",
    reply: { "cdn-cache-control": fresh, "cache-control": "no-store" },
    wait: 9,
    outcome: "stored"
  },
  {
    law: "before Cache-Control, shorter",
    reply: { "cdn-cache-control": "max-age=1", "cache-control": fresh },
    wait: 9,
    outcome: "asked"
  },
  { law: "before Expires", reply: { "cdn-cache-control": "max-age=0", expires: at(3600) }, outcome: "asked" },
  { law: "no-store", reply: { "cdn-cache-control": "no-store", "cache-control": fresh }, outcome: "asked" },
  { law: "private", reply: { "cdn-cache-control": "private", "cache-control": fresh }, outcome: "asked" },
  { law: "no-cache", reply: { "cdn-cache-control": "no-cache", "cache-control": fresh }, outcome: "asked" },
  {
    law: "a false directive is none",
    reply: { "cdn-cache-control": "no-store=?0, max-age=3600" },
    outcome: "stored"
  },
  {
    law: "malformed: as if absent",
    reply: { "cdn-cache-control": "max-age=3600, &&&", "cache-control": "no-store" },
    outcome: "asked"
  },
  {
    law: "malformed beside a good Cache-Control",
    reply: { "cdn-cache-control": "no-store, &&&", "cache-control": fresh },
    outcome: "stored"
  },
  {
    law: "a wrong type: as if absent",
    reply: { "cdn-cache-control": 'max-age="3600"', "cache-control": "no-store" },
    outcome: "asked"
  },
  { law: "empty: as if absent", reply: { "cdn-cache-control": "", "cache-control": fresh }, outcome: "stored" },
  {
    law: "an unknown directive beside it",
    reply: { "cdn-cache-control": "foo=(1 2), max-age=3600" },
    outcome: "stored"
  }
])
