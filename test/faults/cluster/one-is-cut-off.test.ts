import { allGrounds } from '../../engines/grounds.ts';
import { oneIsCutOff } from './one-is-cut-off.ts';

allGrounds.withNpm.each(oneIsCutOff);
