/**
 * Stands in for the package multipasta, of which @effect/platform imports a parser of `multipart/form-data`: no route
 * of Larder takes such a body, and a bundler cannot tell. wrangler.toml names this file as the package's alias.
 */
const unreachable = (): never => {
  throw new Error("no route takes multipart/form-data")
}

export const make = unreachable
export const decodeField = unreachable
export const defaultIsFile = unreachable
