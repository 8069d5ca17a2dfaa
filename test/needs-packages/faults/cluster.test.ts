import { grounds } from '../../engines/grounds.ts';
import { oneIsCutOff } from '../../faults/cluster/one-is-cut-off.ts';
import { storesDie } from '../../faults/cluster/stores-die.ts';

grounds.withPackages.each(storesDie);
grounds.withPackages.each(oneIsCutOff);
