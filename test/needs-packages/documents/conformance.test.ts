import { storeConformance } from '../../conformance/documents.ts';
import { documentEngines } from '../../engines/documents.ts';

documentEngines.withPackages.each(({ name, make }) => storeConformance(name, make));
