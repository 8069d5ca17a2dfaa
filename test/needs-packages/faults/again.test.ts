/** Fault tests that run on SQLite and local files elsewhere. */
import { grounds } from '../../engines/grounds.ts';
import { concurrency } from '../../faults/concurrency.ts';
import { pausedWorker } from '../../faults/paused-worker.ts';
import { uploadDies } from '../../faults/upload-dies.ts';

for (const suite of [uploadDies, pausedWorker, concurrency]) grounds.withPackages.each(suite);
