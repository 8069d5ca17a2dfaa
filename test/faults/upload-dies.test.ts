import { LOCAL } from '../engines/grounds.ts';
import { uploadDies } from './upload-dies.ts';

uploadDies(LOCAL);
