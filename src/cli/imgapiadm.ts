#!/usr/bin/env node
/** The operators' command: `node src/cli/imgapiadm.ts --help`. */
import { runAsProcess } from './framework/process.ts';
import { imgapiadm } from './imgapiadm-program.ts';

await runAsProcess(imgapiadm);
