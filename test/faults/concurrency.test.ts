import { LOCAL } from '../engines/grounds.ts';
import { concurrency } from './concurrency.ts';

concurrency(LOCAL);
