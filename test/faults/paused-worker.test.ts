import { LOCAL } from '../engines/grounds.ts';
import { pausedWorker } from './paused-worker.ts';

pausedWorker(LOCAL);
