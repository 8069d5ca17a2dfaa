/** The parts that schemas are built from. Schemas are open: readers must ignore fields that they do not know. */
import { type Static, type TEnum, type TSchema, type TSchemaOptions, Type } from 'typebox';

/** The type of a schema's values. Nobody changes an answer, so all of it is read-only. */
export type ValueOf<S extends TSchema> = Frozen<Static<S>>;

/** Read-only, all the way down. */
export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export function oneOf<Values extends string[]>(values: readonly [...Values], options?: TSchemaOptions): TEnum<Values> {
  return Type.Enum<Values>(values, { type: 'string', ...options });
}

export function uuid(description?: string) {
  return Type.String({ format: 'uuid', ...(description !== undefined && { description }) });
}

export function date(description?: string) {
  return Type.String({ format: 'date-time', ...(description !== undefined && { description }) });
}

/** A number of bytes. */
export function bytes(description = 'Bytes.') {
  return Type.Integer({ minimum: 0, description });
}

export function strings(description: string) {
  return Type.Array(Type.String(), { description });
}

/** An object with any keys. */
export function anything(description: string) {
  return Type.Record(Type.String(), Type.Unknown(), { description });
}

/** Lower-case hex. */
export function hex(digits: number, description: string) {
  return Type.String({ pattern: `^[0-9a-f]{${digits}}$`, description });
}
