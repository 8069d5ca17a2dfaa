import { grounds } from '../../engines/grounds.ts';
import { machineImages } from './machine-images.ts';

grounds.withNpm.each(machineImages);
