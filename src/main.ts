/** The IMGAPI server: `node src/main.ts [-f CONFIG]`. */
import { useCompileCache } from '#lib/compile-cache.ts';
import { useFewArenas } from './arenas.ts';

useFewArenas();
useCompileCache();
const [{ runServer }, { imgapiProcess }] = await Promise.all([
  import('./server-process.ts'),
  import('./imgapi-process.ts'),
]);
await runServer(imgapiProcess);
