/** What the listeners of IMGAPI have in common. */
import { Call } from './call.ts';
import { imgapiErrors } from './errors.ts';
import { apiVersion } from './versions.ts';

export const IMGAPI = { call: Call, versions: apiVersion, errors: imgapiErrors } as const;
