#!/usr/bin/env node
/** The accounts' command: `src/cli/bin/triton-image --help`. */
import { useCompileCache } from '#lib/runtime/compile-cache.ts';
import { findOwnModules } from '#lib/runtime/own-modules.ts';

useCompileCache();
findOwnModules();
const [{ runAsProcess }, { tritonImage }] = await Promise.all([
  import('../framework/process.ts'),
  import('./program.ts'),
]);
await runAsProcess(tritonImage);
