import { allGrounds, LOCAL } from '../../engines/grounds.ts';
import { contention } from './contention.ts';

contention(LOCAL);
allGrounds.withNpm.each(contention);
