import { grounds } from '../../engines/grounds.ts';
import { oneDies } from './one-dies.ts';

grounds.withNpm.each(oneDies);
