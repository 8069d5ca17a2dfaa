#!/usr/bin/env node
/** The accounts' command: `node src/cli/triton-image.ts --help`. */
import { runAsProcess } from './framework/process.ts';
import { tritonImage } from './triton-image-program.ts';

await runAsProcess(tritonImage);
