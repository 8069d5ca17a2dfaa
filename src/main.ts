/** The IMGAPI server: `node src/main.ts [-f CONFIG]`. */
import { useCompileCache } from '#lib/compile-cache.ts';
import { useMemorySettings } from '#lib/memory-settings.ts';

useMemorySettings();
useCompileCache();
const [{ runServer }, { imgapiProcess }] = await Promise.all([
  import('./server-process.ts'),
  import('./imgapi-process.ts'),
]);
await runServer(imgapiProcess);
