/**
 * The preset dictionary of `deflate+json1`: what small JSON values repeat, the most frequent last, where distances are
 * shortest. It is part of a stored format: it never changes, another one gets another name.
 */
export const jsonDictionary1 = new TextEncoder().encode(
  '"latitude":"longitude":"country":"address":"phone":"email":"description":"message":"language":"timezone":' +
    '"exchange":"NASDAQ","NYSE","sector":"industry":"marketCap":"dividendYield":"currency":"USD","EUR",' +
    '"headline":"headlines":["sentiment":{"positive":"negative":"neutral","confidence":"score":0.' +
    '"threshold":"triggered":false,"lastPrice":"evaluatedAt":"direction":"above","below","signal":"buy","sell","hold",' +
    '"previousClose":"dayHigh":"dayLow":"open":"high":"low":"close":"volume":"bid":"ask":"change":"changePercent":-0.' +
    '"parameters":{"metadata":{"attributes":{"settings":{"options":{"children":[{"properties":{' +
    '"createdAt":"updatedAt":"2026-01-0T00:00:00.000Z","expiresAt":"timestamp":17"date":"2026-' +
    '"https://www.example.com/","http://","url":"href":"image":"title":"content":"author":"tags":["category":' +
    '"count":0,"total":"page":1,"limit":"offset":"next":null,"previous":null,"results":[{"items":[{"data":{"error":null,' +
    '"status":"active","enabled":true,"disabled":false,"version":1,"type":"key":"value":"user":{"userId":"id":' +
    '"symbol":"price":"name":"},{"id":"]},"null,"true,"false,"":{"":["":""},{"","":0,"":1'
)
