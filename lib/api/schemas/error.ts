/** The body of every answer that is an error. */
import { Type } from 'typebox';
import type { ValueOf } from './build.ts';

export const FieldProblem = Type.Object(
  {
    field: Type.String({ description: 'Name of the field or parameter.' }),
    code: Type.String({ description: '`Missing`, `Invalid`, …' }),
    message: Type.Optional(Type.String()),
  },
  { description: 'What is wrong with one field.' },
);
export type FieldProblem = ValueOf<typeof FieldProblem>;

export const ErrorBody = Type.Object({
  code: Type.String({ description: 'One of the codes of the API.' }),
  message: Type.String({ description: 'For people: what was wrong, and what would be right.' }),
  errors: Type.Optional(Type.Array(FieldProblem, { description: 'The fields or parameters that are wrong.' })),
});
export type ErrorBody = ValueOf<typeof ErrorBody>;
