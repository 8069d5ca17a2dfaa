/** The image part of CloudAPI: `node src/cloudapi/main.ts -f CONFIG`. */
import { useCompileCache } from '#lib/compile-cache.ts';
import { useMemorySettings } from '#lib/memory-settings.ts';

useMemorySettings();
useCompileCache();
const [{ runServer }, { cloudapiProcess }] = await Promise.all([
  import('../server-process.ts'),
  import('./cloudapi-process.ts'),
]);
await runServer(cloudapiProcess);
