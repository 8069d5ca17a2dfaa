#!/usr/bin/env node
/** The operators' command: `src/cli/bin/imgapiadm --help`. */
import { useCompileCache } from '#lib/runtime/compile-cache.ts';
import { findOwnModules } from '#lib/runtime/own-modules.ts';

useCompileCache();
findOwnModules();
const [{ runAsProcess }, { imgapiadm }] = await Promise.all([
  import('../framework/process.ts'),
  import('./program.ts'),
]);
await runAsProcess(imgapiadm);
