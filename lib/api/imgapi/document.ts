/** IMGAPI's document. */
import { ERRORS } from '../errors/registry.ts';
import { type OpenApiDocument, openApiDocument } from '../openapi/document.ts';
import { SCHEMAS } from '../schemas/all.ts';
import { COMMON_ERRORS } from './form.ts';
import { IMGAPI } from './operations.ts';

const MAYBE_SIGNED = [{ signature: [] }, { token: [] }, {}];

export function imgapiDocument(): OpenApiDocument {
  return openApiDocument({
    title: 'IMGAPI',
    version: '3.0.0',
    description:
      'The Image API of Triton: keeps virtual-machine images, decides who may see and use them, and copies them between the datacenters of one cloud. HEAD is served wherever GET is. Booleans in the query are exactly `true` or `false`.',
    operations: IMGAPI,
    acceptVersion: {
      description:
        'A range of versions: `~1`, `~2` or `~3`; `*` means 2. A version is a view: all versions read and write the same images.',
      default: '~1',
    },
    errors: ERRORS,
    commonErrors: COMMON_ERRORS,
    schemas: SCHEMAS,
    securitySchemes: {
      signature: {
        type: 'http',
        scheme: 'Signature',
        description: "HTTP Signature over `Date`, where the server's `authType` is `signature`.",
      },
      token: {
        type: 'http',
        scheme: 'Bearer',
        bearerFormat: 'JWT',
        description:
          "A JWT of the issuer in the server's section `tokens`, signed with ES256: that of an account, whose UUID is `sub`, for requests with `account` of that UUID alone; or an operator's.",
      },
      operator: {
        type: 'http',
        scheme: 'Bearer',
        description: 'The token in the data folder, accepted only from the machine itself.',
      },
    },
    security: {
      strict: MAYBE_SIGNED,
      passive: MAYBE_SIGNED,
      lenient: MAYBE_SIGNED,
      operator: [{ operator: [] }, { signature: [] }, { token: [] }],
      none: [],
    },
  });
}
