/** The schemas by which parameters and bodies are checked: a server compiles each only when it first needs it. */
import { Ajv } from 'ajv';
import { test } from 'tap';
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { LINK_COPIES } from '#lib/api/imgapi/link-copies.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation, Operations } from '#lib/api/operation.ts';
import { WORDS } from '#lib/api/wording.ts';

const ROWS: Operations = { ...IMGAPI, ...LINKS, ...LINK_COPIES, ...CLOUDAPI };

/** That of a body as a whole, or those of its fields, and those of the parameters. */
function* checkedBy({ query, body }: Operation): Generator<[field: string, schema: object]> {
  const fields = (object: unknown) =>
    Object.entries((object as { properties?: Record<string, object> }).properties ?? {});
  yield* fields(query ?? {});
  if (!body || 'bytes' in body) return;
  const schema = 'json' in body ? body.json : body.signed;
  if (body.check === 'whole') yield ['body', schema];
  else yield* fields(schema);
}

test('each schema is one, and has no words that nobody knows', async (t) => {
  const ajv = new Ajv({ allErrors: false });
  ajv.addVocabulary([...WORDS]);
  for (const format of ['lower-case-uuid', 'uuid', 'date-time']) ajv.addFormat(format, true);
  let count = 0;
  for (const [name, row] of Object.entries(ROWS)) {
    for (const [field, schema] of checkedBy(row)) {
      count += 1;
      try {
        ajv.compile(schema);
      } catch (error) {
        t.fail(`${name}: ${field}: ${(error as Error).message}`);
      }
    }
  }
  t.ok(count > 200, String(count));
  t.throws(() => ajv.compile({ type: 'nonsense' }), 'it finds what it looks for');
});
