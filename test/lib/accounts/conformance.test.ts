import { accountsConformance } from '../../conformance/accounts.ts';
import { accountEngines } from '../../engines/accounts.ts';

accountEngines.withNpm.each(({ name, make }) => accountsConformance(name, make));
