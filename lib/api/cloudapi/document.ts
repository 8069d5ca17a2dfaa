/** CloudAPI's document. */
import { ERRORS } from '../errors/registry.ts';
import { type OpenApiDocument, openApiDocument } from '../openapi/document.ts';
import { SCHEMAS } from '../schemas/all.ts';
import { CLOUDAPI_ERRORS } from './errors.ts';
import { CLOUDAPI_VERSIONS, COMMON_ERRORS } from './form.ts';
import { CLOUDAPI } from './operations.ts';
import { Account, Datacenters, Key, Pong, RoleTagsOfResource } from './schemas/account.ts';
import { ImageV70, ImageV71, ImageV80 } from './schemas/image.ts';

export function cloudapiDocument(): OpenApiDocument {
  return openApiDocument({
    title: 'CloudAPI: images',
    version: CLOUDAPI_VERSIONS.at(-1) ?? '',
    description:
      "The image part of Triton's CloudAPI: what accounts do with images. HEAD is served wherever GET is. What a POST takes in its query it also takes in its body, as JSON or as a form (application/x-www-form-urlencoded); the body wins, and an empty string counts as absent. A sub-user acts with the roles that it has by default, or with those of its roles that the parameter `as-role` or the header `Role` names (separated by commas; `*` for all); its policies name operations in lower case.",
    operations: CLOUDAPI,
    acceptVersion: {
      description: `A range of versions, of which the newest is served. There are ${CLOUDAPI_VERSIONS.join(', ')}.`,
      default: '*',
    },
    errors: { ...ERRORS, ...CLOUDAPI_ERRORS },
    commonErrors: COMMON_ERRORS,
    schemas: { ...SCHEMAS, Account, Datacenters, ImageV70, ImageV71, ImageV80, Key, Pong, RoleTagsOfResource },
    securitySchemes: {
      signature: {
        type: 'http',
        scheme: 'Signature',
        description:
          'HTTP Signature with an SSH key of the account, or of a sub-user (`keyId` `/LOGIN/users/SUBUSER/keys/FINGERPRINT`), over `Date` at least. The older form `Signature keyId="…",algorithm="…" BASE64` signs the value of `Date` alone. Or the parameters `keyId`, `algorithm`, `expires` (seconds since 1970) and `signature` sign the URL: method, host, path and the other parameters, sorted and encoded, a line for each part; `method` names several methods. With a token of keyapi in `X-Auth-Token` an application acts for the account that the token names.',
      },
      token: {
        type: 'http',
        scheme: 'Bearer',
        bearerFormat: 'JWT',
        description:
          "A JWT of the issuer in the server's section `tokens`, signed with ES256. `sub` is the UUID of the account.",
      },
    },
    security: { strict: [{ signature: [] }, { token: [] }], passive: [], lenient: [], operator: [], none: [] },
  });
}
