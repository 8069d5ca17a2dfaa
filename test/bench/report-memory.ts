/** Loaded into a server by `--import`: writes once a second what the process knows of its own memory. */
import { renameSync, writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

const file = process.env['BENCH_MEMORY_FILE'];
if (file !== undefined) {
  setInterval(() => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const { malloced_memory: v8Malloced } = getHeapStatistics();
    writeFileSync(`${file}~`, JSON.stringify({ heapUsed, heapTotal, external, arrayBuffers, v8Malloced }));
    renameSync(`${file}~`, file);
  }, 1000).unref();
}
