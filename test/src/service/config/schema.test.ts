import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'tap';
import {
  AUTH_TYPES,
  type Config,
  DATABASE_TYPES,
  LOG_LEVELS,
  MODES,
  STORAGE_TYPES,
} from '#src/service/config/config.ts';
import type { JsonObject } from '#src/service/config/read-file.ts';
import { applySchema } from '#src/service/config/schema.ts';
import cloudapiSchema from '../../../../etc/cloudapi.schema.json' with { type: 'json' };
import schema from '../../../../etc/config.schema.json' with { type: 'json' };

type SchemaKey = keyof typeof schema.properties;
type Unused = 'wfapi';

interface Node {
  readonly description?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node | false;
}

function* keysOf(node: Node, path = ''): Generator<[path: string, node: Node]> {
  for (const [key, below] of Object.entries(node.properties ?? {})) {
    yield [`${path}${key}`, below];
    yield* keysOf(below, `${path}${key}.`);
    if (below.items) yield* keysOf(below.items, `${path}${key}[].`);
  }
}

test('the schemas of etc/ are schemas, which no process looks at again as it starts', async (t) => {
  const ajv = new Ajv2020({ allErrors: true });
  for (const one of [schema, cloudapiSchema]) {
    t.ok(ajv.validateSchema(one), ajv.errorsText());
  }
  t.notOk(ajv.validateSchema({ ...schema, properties: { port: { type: 'nonsense' } } }));
});

test('every key of the schema has a description that is a sentence', async (t) => {
  for (const [path, { description = '' }] of keysOf(schema as Node)) t.match(description, /^\S.*\.$/, path);
});

test('schema and Config have the same keys', async (t) => {
  const missingInConfig: Exclude<SchemaKey, keyof Config | Unused>[] = [];
  const missingInSchema: Exclude<keyof Config, SchemaKey>[] = [];
  const missingBelow: Exclude<keyof (typeof schema.properties.copies)['properties'], keyof Config['copies']>[] = [];
  t.strictSame([missingInConfig, missingInSchema, missingBelow], [[], [], []], 'the type checker has compared them');
});

test('schema and code name the same choices', async (t) => {
  const { mode, authType, databaseType, storageTypes, logLevel } = schema.properties;
  t.strictSame(mode.enum, MODES);
  t.strictSame(authType.enum, AUTH_TYPES);
  t.strictSame(databaseType.enum, DATABASE_TYPES);
  t.strictSame(storageTypes.items.enum, STORAGE_TYPES);
  const numbers = LOG_LEVELS.map((_, index) => (index + 1) * 10);
  t.strictSame(logLevel.enum, [...LOG_LEVELS, ...numbers]);
});

test('etc/defaults.json says the same as the defaults of the schema', async (t) => {
  const file = readFileSync(join(import.meta.dirname, '../../../../etc/defaults.json'), 'utf8');
  t.strictSame(JSON.parse(file), applySchema({}).value);
});

/** Keys that a configuration may have, each once with something wrong in it. */
const GIVEN: readonly JsonObject[] = [
  {},
  { port: 8081, copies: { concurrency: 2 }, nonsense: 1 },
  { port: 'x', copies: { concurency: 2 }, ufds: { url: 'ldap://a' }, links: {}, webhooks: [{}], channels: 1 },
  { s3: {}, manta: {}, moray: {}, postgres: {}, tokens: {}, metrics: {}, wfapi: {} },
];

test('compiling the rules of the given keys alone says the same as compiling all of them', async (t) => {
  for (const one of [schema, cloudapiSchema]) {
    const ajv = new Ajv2020({
      allErrors: true,
      useDefaults: true,
      allowUnionTypes: true,
      strict: false,
      logger: false,
    });
    for (const name of ['http-url', 'address-range', 'origin']) ajv.addFormat(name, true);
    if (one !== schema) ajv.addSchema(schema, 'config.schema.json');
    const validate = ajv.compile(one);
    for (const given of GIVEN) {
      const whole = structuredClone(given);
      const isRight = validate(whole);
      const { value, problems, unknownKeys } = applySchema(given, one);
      t.strictSame(value, whole, JSON.stringify(given));
      t.equal(problems.length + unknownKeys.length === 0, isRight);
    }
  }
});

test('filling in the defaults leaves the input as it is', async (t) => {
  const given = { copies: {} };
  applySchema(given);
  t.strictSame(given, { copies: {} });
});
