import { storeConformance } from '../../conformance/documents.ts';
import { documentEngines } from '../../engines/documents.ts';

documentEngines.withNpm.each(({ name, make }) => storeConformance(name, make));
