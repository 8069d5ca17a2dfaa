#!/usr/bin/env node
/** The accounts' command: `src/cli/bin/triton-image --help`. */
import { useCompileCache } from '#lib/compile-cache.ts';

useCompileCache();
const [{ runAsProcess }, { tritonImage }] = await Promise.all([
  import('./framework/process.ts'),
  import('./triton-image-program.ts'),
]);
await runAsProcess(tritonImage);
