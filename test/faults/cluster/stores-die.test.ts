import { grounds } from '../../engines/grounds.ts';
import { storesDie } from './stores-die.ts';

grounds.withNpm.each(storesDie);
