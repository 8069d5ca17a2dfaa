import { accountsConformance } from '../../conformance/accounts.ts';
import { accountEngines } from '../../engines/accounts.ts';

accountEngines.withPackages.each(({ name, make }) => accountsConformance(name, make));
