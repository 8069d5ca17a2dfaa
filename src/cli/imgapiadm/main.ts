#!/usr/bin/env node
/** The operators' command: `src/cli/bin/imgapiadm --help`. */
import { useCompileCache } from '#lib/runtime/compile-cache.ts';

useCompileCache();
const [{ runAsProcess }, { imgapiadm }] = await Promise.all([
  import('../framework/process.ts'),
  import('./program.ts'),
]);
await runAsProcess(imgapiadm);
