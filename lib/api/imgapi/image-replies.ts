/** The answer with one image, as each version shows it. */
import { Type } from 'typebox';
import type { Reply } from '../operation.ts';
import { etagHeader, type ImgapiVersion } from './form.ts';

/** Until the views have schemas of their own. */
const Image = Type.Object({ uuid: Type.String() });

export const imageReplies = [
  { status: 200, versions: [1], json: Image, headers: etagHeader },
  { status: 200, versions: [2], json: Image, headers: etagHeader },
  { status: 200, versions: [3], json: Image, headers: etagHeader },
] as const satisfies readonly Reply<ImgapiVersion>[];
