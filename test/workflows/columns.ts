// The client libraries and the engines that the contracts run on. Used by targets.ts, which starts them, by the test
// files and by matrix.ts.

export const CLIENTS = ['embedded', 'ioredis', 'node-redis', 'iovalkey', 'glide'] as const;
export type ClientName = (typeof CLIENTS)[number];
export const ENGINES = ['embedded', 'holdfast', 'redis-server', 'redis-sentinel', 'redis-cluster'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Which engines a client can be tried on. GLIDE knows no Sentinel. */
export function enginesOf(client: ClientName): readonly EngineName[] {
  if (client === 'embedded') return ['embedded'];
  return ENGINES.filter((name) => name !== 'embedded' && !(client === 'glide' && name === 'redis-sentinel'));
}
