/** The same as `redis.test.ts` over a number on Meta's Cloud API. */
process.env.CHAOS_PROVIDER = 'meta';
await import('./redis.test.ts');

export {};
