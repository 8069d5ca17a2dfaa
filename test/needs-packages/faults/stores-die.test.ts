import { grounds } from '../../engines/grounds.ts';
import { storesDie } from '../../faults/cluster/stores-die.ts';

grounds.withPackages.each(storesDie);
