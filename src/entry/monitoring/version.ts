/** That of package.json, which a test holds it against: workerd imports no JSON. */
export const version = "0.1.0"
