import { grounds } from '../../engines/grounds.ts';
import { oneIsCutOff } from './one-is-cut-off.ts';

grounds.withNpm.each(oneIsCutOff);
