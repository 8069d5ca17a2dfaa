import { grounds } from '../../engines/grounds.ts';
import { starts } from './starts.ts';

grounds.withNpm.each(starts);
