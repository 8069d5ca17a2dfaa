import { objectStoreConformance } from '../../conformance/objects.ts';
import { objectEngines } from '../../engines/objects.ts';

objectEngines.withNpm.each(({ name, make }) => objectStoreConformance(name, make));
