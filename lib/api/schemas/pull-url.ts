/** The answer of CreateImageFilePullUrl. Other datacenters, which distrust this one, read it: so everything has a bound. */
import { Type } from 'typebox';
import { bytes, hex, type ValueOf } from './build.ts';

export const PullUrl = Type.Object(
  {
    url: Type.String({
      maxLength: 4096,
      description: "Reads the file's bytes until `expires`, without other credentials.",
    }),
    expires: Type.String({ maxLength: 40, description: 'ISO date.' }),
    reqid: Type.String({
      maxLength: 40,
      description: 'Names the pull link: pass it as `renew` to get a new URL for the same bytes.',
    }),
    size: bytes(),
    sha1: hex(40, 'SHA-1 of the bytes, as hex.'),
    sha256: Type.Optional(hex(64, 'SHA-256 of the bytes, as hex.')),
    md5: Type.Optional(Type.String({ maxLength: 24, description: "Base64; absent if the file's record has none." })),
    direct: Type.Boolean({
      description:
        "True if the store has no links: the URL then reads the image's own object, and ends with the image.",
    }),
  },
  { description: 'A URL that reads the bytes of a file.' },
);
export type PullUrl = ValueOf<typeof PullUrl>;
