// Peers whose declarations import libraries that are not installed here, such as ioredis, knex and kysely, or that are
// only run here: their types are left out.
declare module "async-cache-dedupe"
declare module "bentocache"
declare module "bentocache/drivers/memory"
declare module "flareutils"
declare module "ocache"
