import { objectStoreConformance } from '../../conformance/objects.ts';
import { objectEngines } from '../../engines/objects.ts';

objectEngines.withPackages.each(({ name, make }) => objectStoreConformance(name, make));
