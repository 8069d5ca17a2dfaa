/** The IMGAPI server: `node src/main.ts [-f CONFIG]`. */
import { COMPILE_CACHE_SETTINGS, useCompileCache } from '#lib/runtime/compile-cache.ts';
import { holdHangups } from '#lib/runtime/hangups.ts';
import { useMemorySettings } from '#lib/runtime/memory-settings.ts';
import { findOwnModules } from '#lib/runtime/own-modules.ts';

holdHangups();
useMemorySettings(COMPILE_CACHE_SETTINGS);
useCompileCache();
findOwnModules();
const [{ runServer }, { imgapiProcess }] = await Promise.all([
  import('./service/server-process.ts'),
  import('./imgapi-process.ts'),
]);
await runServer(imgapiProcess);
