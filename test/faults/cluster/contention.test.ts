import { grounds } from '../../engines/grounds.ts';
import { contention } from './contention.ts';

contention({ name: 'SQLite and local files' });
grounds.withNpm.each(contention);
