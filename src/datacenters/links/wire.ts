/** Checks the form of what another datacenter sends, because it is not trusted. */
import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import type { ValueOf } from '#lib/api/schemas/build.ts';
import { SourceInvalidError } from '../peers/errors.ts';

/** Compiles a schema when it is first used, because that takes a while, and keeps what it compiled. */
const ajv = new Ajv({ allowUnionTypes: true, validateSchema: false, meta: false });

/** @throws SourceInvalidError */
export function expectShape<S extends TSchema>(value: unknown, schema: S, who: string): ValueOf<S> {
  const isShape = ajv.compile<ValueOf<S>>(schema);
  if (isShape(value)) return value;
  const [error] = isShape.errors ?? [];
  throw new SourceInvalidError(
    `the answer of ${who} does not have the expected form: ${error?.instancePath} ${error?.message}`,
  );
}
