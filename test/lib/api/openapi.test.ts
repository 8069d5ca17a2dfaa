/** The form of the documents; that IMGAPI's is valid and up to date is in `test/docs/generated.test.ts`. */
import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { Type } from 'typebox';
import { cloudapiDocument } from '#lib/api/cloudapi/document.ts';
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { imgapiDocument } from '#lib/api/imgapi/document.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { openApiDocument } from '#lib/api/openapi/document.ts';
import type { Operation, Operations } from '#lib/api/operation.ts';
import { flag, list, uuid } from '#lib/api/parameters.ts';

const Cat = Type.Object({ name: Type.String() }, { description: 'A cat.' });
const ErrorBody = Type.Object({ code: Type.String() });

const cats = { since: 1, auth: 'strict', callers: ['owner'], path: '/cats/:uuid', errors: ['NoCat'] } as const;
const params = Type.Object({ uuid: uuid('The cat.') });

const OPERATIONS = {
  ListCats: {
    ...cats,
    path: '/cats',
    summary: 'Lists cats.',
    method: 'GET',
    query: Type.Object({}, { patternProperties: { '^tag\\..': list('Cats that have this tag.') } }),
    replies: [
      { status: 200, json: Type.Array(Cat) },
      { status: 200, when: 'Accept says so', lines: Cat },
    ],
  },
  FeedCat: {
    ...cats,
    summary: 'Feeds a cat.',
    method: 'POST',
    action: 'feed',
    route: 'ChangeCat',
    params,
    query: Type.Object({ much: flag('A lot.') }),
    body: { json: Cat },
    replies: [{ status: 200, json: Cat }],
  },
  WashCat: {
    ...cats,
    summary: 'Washes a cat.',
    method: 'POST',
    action: 'wash',
    isDefaultAction: true,
    route: 'ChangeCat',
    auth: 'none',
    params,
    query: Type.Object({ much: Type.Optional(flag('With soap.')) }),
    replies: [{ status: 204 }],
    errors: ['NoCat', 'WildCat'],
  },
} as const satisfies Operations;

const document = openApiDocument({
  title: 'Cats',
  version: '1.0.0',
  description: 'All of them.',
  operations: OPERATIONS,
  acceptVersion: { description: 'A range.', default: '~1' },
  errors: {
    NoCat: { status: 404, when: 'there is no such cat' },
    WildCat: { status: 422, when: 'it does not want to' },
    Broken: { status: 500, when: 'it broke' },
  },
  commonErrors: ['Broken'],
  schemas: { Cat, ErrorBody },
  securitySchemes: { signature: { type: 'http', scheme: 'Signature' } },
  security: { strict: [{ signature: [] }], passive: [], lenient: [], operator: [], none: [] },
});

const REF = { $ref: '#/components/schemas/Cat' };
const ERROR = { content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } } };

t.test('a document is valid', async (t) => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  t.ok(valid, { errors });
});

t.test('an operation stands under its path and method, and schemas with names stand once', async (t) => {
  t.match(document['paths'], {
    '/cats': {
      get: {
        operationId: 'ListCats',
        summary: 'Lists cats',
        security: [{ signature: [] }],
        responses: {
          200: {
            description: 'OK; when Accept says so',
            content: {
              'application/json': { schema: { type: 'array', items: REF } },
              'application/x-json-stream': { 'x-line': REF },
            },
          },
          404: { description: 'Not Found\n- `NoCat`: there is no such cat', ...ERROR },
          default: { $ref: '#/components/responses/Error' },
        },
        'x-since': 1,
        'x-callers': ['owner'],
      },
    },
  });
  const { schemas } = document['components'] as { schemas: Record<string, unknown> };
  t.strictSame(Object.keys(schemas), ['Cat', 'ErrorBody']);
});

t.test('parameters of which only the form is known are an object', async (t) => {
  const { get } = (document['paths'] as Record<string, { get: { parameters: unknown[] } }>)['/cats']!;
  t.match(get.parameters[1], { name: 'tag', in: 'query', style: 'form', explode: true, schema: { type: 'object' } });
});

t.test('the actions of a route are one operation, and each by itself', async (t) => {
  const { post } = (document['paths'] as Record<string, { post: Record<string, unknown> }>)['/cats/{uuid}']!;
  t.match(post, {
    operationId: 'ChangeCat',
    description: '- `feed` (FeedCat): Feeds a cat.\n- `wash` (WashCat): Washes a cat.',
    requestBody: { required: false, content: { 'application/json': { schema: REF } } },
    responses: { 200: {}, 204: {}, 404: {}, 422: {} },
    'x-actions': {
      feed: { operationId: 'FeedCat', requestBody: { required: true }, security: [{ signature: [] }] },
      wash: { operationId: 'WashCat', responses: { 204: { description: 'No Content' } }, security: [] },
    },
  });
  t.strictSame((post['parameters'] as unknown[]).slice(1), [
    {
      name: 'action',
      in: 'query',
      required: false,
      schema: { type: 'string', enum: ['feed', 'wash'], default: 'wash' },
    },
    { name: 'uuid', in: 'path', required: true, description: 'The cat.', schema: { type: 'string', format: 'uuid' } },
    {
      name: 'much',
      in: 'query',
      required: false,
      description: 'For `feed` (required): A lot.\nFor `wash`: With soap.',
      schema: { type: 'boolean' },
    },
  ]);
});

t.test('no operation of an API is left out of its document', async (t) => {
  for (const [rows, described] of [
    [IMGAPI, imgapiDocument()],
    [CLOUDAPI, cloudapiDocument()],
  ] as const) {
    const ids = [...JSON.stringify(described).matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
    t.strictSame(
      Object.keys(rows).filter((name) => !ids.includes(name)),
      [],
    );
  }
});

t.test('a limit that rows name is the one that the configuration has by default', async (t) => {
  const defaults = JSON.parse(await readFile(new URL('../../../etc/defaults.json', import.meta.url), 'utf8'));
  const limits = Object.values<Operation>(IMGAPI).flatMap(({ body }) =>
    body && 'limit' in body && body.limit ? body.limit : [],
  );
  t.ok(limits.length > 0);
  for (const { setting, byDefault } of limits) {
    const [part = '', name = ''] = setting.split('.');
    t.equal(defaults[part][name], byDefault, setting);
  }
});
