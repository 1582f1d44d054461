import { at, fresh, testLaws } from "../../support/http-cache/reuseLaws.ts"

testLaws("freshness (RFC 9111, 4.2)", [
  { law: "nothing said: not reused", reply: {}, outcome: "asked" },
  { law: "max-age, before its end", reply: { "cache-control": "max-age=10" }, wait: 9, outcome: "stored" },
  { law: "max-age, at its end", reply: { "cache-control": "max-age=10" }, wait: 10, outcome: "asked" },
  { law: "max-age beyond 32 bits", reply: { "cache-control": "max-age=99999999999" }, wait: 99, outcome: "stored" },
  { law: "max-age that is no number", reply: { "cache-control": "max-age=3600a" }, outcome: "asked" },
  { law: "max-age below zero", reply: { "cache-control": "max-age=-3600" }, outcome: "asked" },
  { law: "max-age in single quotes", reply: { "cache-control": "max-age='3600'" }, outcome: "asked" },
  { law: "max-age in quotes", reply: { "cache-control": 'max-age="3600"' }, outcome: "stored" },
  { law: "space before the equals sign", reply: { "cache-control": "max-age =3600" }, outcome: "asked" },
  { law: "space after it", reply: { "cache-control": "max-age= 3600" }, outcome: "asked" },
  { law: "leading zeros", reply: { "cache-control": "max-age=003600" }, wait: 9, outcome: "stored" },
  {
    law: "a directive in another's quotes",
    reply: { "cache-control": 'x="max-age=3600", max-age=1' },
    wait: 2,
    outcome: "asked"
  },
  {
    law: "of two max-age the first",
    reply: { "cache-control": "max-age=1, max-age=3600" },
    wait: 2,
    outcome: "asked"
  },
  { law: "any case", reply: { "cache-control": "MaX-aGe=3600" }, outcome: "stored" },
  {
    law: "s-maxage before max-age, longer",
    reply: { "cache-control": "max-age=1, s-maxage=3600" },
    wait: 9,
    outcome: "stored"
  },
  {
    law: "s-maxage before max-age, shorter",
    reply: { "cache-control": "max-age=3600, s-maxage=1" },
    wait: 9,
    outcome: "asked"
  },
  { law: "Expires", reply: { expires: at(10) }, wait: 9, outcome: "stored" },
  { law: "Expires, passed", reply: { expires: at(10) }, wait: 10, outcome: "asked" },
  { law: "Expires counts from Date", reply: { date: at(400), expires: at(300) }, outcome: "asked" },
  { law: "Expires without a valid Date", reply: { date: "foo", expires: at(10) }, wait: 5, outcome: "stored" },
  { law: "Expires: 0", reply: { expires: "0" }, outcome: "asked" },
  { law: "max-age before Expires", reply: { "cache-control": fresh, expires: "0" }, wait: 9, outcome: "stored" },
  { law: "max-age=0 before Expires", reply: { "cache-control": "max-age=0", expires: at(3600) }, outcome: "asked" },
  { law: "Age counts", reply: { "cache-control": fresh, age: "7200" }, outcome: "asked" },
  { law: "a malformed Age does not", reply: { "cache-control": fresh, age: "-7200" }, outcome: "stored" },
  { law: "of two Age the first", reply: { "cache-control": fresh, age: "7200, 0" }, outcome: "asked" },
  { law: "of two Age the first, young", reply: { "cache-control": fresh, age: "0, 7200" }, outcome: "stored" },
  { law: "an old Date is an age", reply: { "cache-control": fresh, date: at(-7200) }, outcome: "asked" },
  { law: "Last-Modified lets guess a tenth", reply: { "last-modified": at(-1000) }, wait: 99, outcome: "stored" },
  { law: "and no more", reply: { "last-modified": at(-1000) }, wait: 100, outcome: "validated" },
  { law: "not for every status", status: 403, reply: { "last-modified": at(-86_400) }, outcome: "asked" },
  {
    law: "but for any that says public",
    status: 403,
    reply: { "last-modified": at(-86_400), "cache-control": "public" },
    outcome: "stored"
  },
  { law: "an error with a lifetime", status: 503, reply: { "cache-control": fresh }, wait: 9, outcome: "stored" },
  {
    law: "a redirect with a lifetime",
    status: 302,
    reply: { "cache-control": fresh, location: "/" },
    outcome: "stored"
  }
])
