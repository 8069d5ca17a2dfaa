/** The tables of operations, from their rows. */
import type { TObject, TSchema } from 'typebox';
import { BODY_ERRORS } from '#lib/api/errors/common.ts';
import type { ErrorCode } from '#lib/api/errors/registry.ts';
import {
  COMMON_ERRORS,
  EVERYBODY,
  type ImgapiOperations,
  imageQuery,
  READERS,
  WRITE_ERRORS,
} from '#lib/api/imgapi/form.ts';
import type { CallerKind, Operation } from '#lib/api/operation.ts';
import { markdown } from './markdown.ts';

type Row = readonly [name: string, operation: Operation];

/** Parameters that are said once, before all operations. */
const SAID_BEFORE: ReadonlySet<string> = new Set(Object.keys(imageQuery));

/** Errors that come together, by what the tables call them. */
const ERROR_GROUPS: Readonly<Record<string, readonly ErrorCode[]>> = {
  '*JSON body*': BODY_ERRORS,
  '*change*': WRITE_ERRORS,
};

/** Which there are, what else is to know of some, their parameters, and their errors. */
export function operationTables(operations: ImgapiOperations): string[] {
  const rows = Object.entries(operations);
  const parameters = together(rows.map(([name, operation]) => [name, parametersOf(operation)]));
  const errors = together(rows.map(([name, operation]) => [name, errorsOf(operation)]));
  return [
    ...markdown(['operation', 'request', 'who', 'what it does'], rows.map(overviewOf)),
    ...rows.flatMap(([name, { description }]) => (description === undefined ? [] : ['', `*${name}*: ${description}`])),
    ...(parameters.length > 0 ? ['', ...markdown(['operation', 'parameter', 'meaning'], parameters)] : []),
    ...(errors.length > 0 ? ['', ...markdown(['operation', 'errors'], errors)] : []),
  ];
}

/** Parameters that most operations have, and the errors that any may answer. */
export function commonTables(): string[] {
  return [
    ...markdown(
      ['parameter', 'meaning'],
      Object.entries(imageQuery).map(([name, schema]) => [`\`${name}\``, textOf(schema)]),
    ),
    '',
    `Errors that any operation may answer: ${codes(COMMON_ERRORS)}. Where the tables name a group, they mean all of its errors:`,
    '',
    ...markdown(
      ['group', 'errors'],
      Object.entries(ERROR_GROUPS).map(([name, group]) => [name, codes(group)]),
    ),
  ];
}

function overviewOf([name, operation]: Row): string[] {
  const { method, path, action, since, where, deprecated, summary, callers } = operation;
  const marks = [
    ...(since === 1 ? [] : [`*v${since}*`]),
    ...(deprecated ? ['for old clients'] : []),
    ...(where === undefined ? [] : [`where there are ${where}`]),
  ];
  const request = `\`${method} ${path}${action === undefined ? '' : `?action=${action}`}\``;
  return [name, marks.length === 0 ? request : `${request} (${marks.join(', ')})`, whoOf(callers), summary];
}

function whoOf(callers: readonly CallerKind[]): string {
  if (isSame(callers, READERS)) return 'whoever sees it';
  return EVERYBODY.every((kind) => callers.includes(kind)) ? 'everybody' : callers.join(', ');
}

function isSame(some: readonly CallerKind[], others: readonly CallerKind[]): boolean {
  return new Set([...some, ...others]).size === some.length && some.length === others.length;
}

function parametersOf({ params, query, body }: Operation): string[][] {
  return [
    ...fieldsOf(params, '').filter(([field]) => field !== '`uuid`'),
    ...fieldsOf(query, ' (needed)').filter(([field = '']) => !SAID_BEFORE.has(field.replaceAll('`', ''))),
    ...patternsOf(query),
    ...(body === undefined ? [] : [['body', bodyOf(body)]]),
  ];
}

function fieldsOf(object: TObject | undefined, mark: string): string[][] {
  return Object.entries(object?.properties ?? {}).map(([name, schema]) => [
    `\`${name}\`${object?.required?.includes(name) ? mark : ''}`,
    [textOf(schema), valuesOf(schema)].filter((text) => text !== '').join(' '),
  ]);
}

function patternsOf(query: TObject | undefined): string[][] {
  const { patternProperties = {} } = (query ?? {}) as {
    readonly patternProperties?: Readonly<Record<string, TSchema>>;
  };
  return Object.values(patternProperties).map((schema) => {
    const [name = '', ...rest] = textOf(schema).split(': ');
    return [name, rest.join(': ')];
  });
}

function bodyOf(body: NonNullable<Operation['body']>): string {
  if ('bytes' in body) return body.bytes.join(', ');
  const schema: TSchema = 'json' in body ? body.json : body.signed;
  const fields = fieldsOf(schema as TObject, '').map(([name, text]) => (text === '' ? name : `${name}: ${text}`));
  const said = [textOf(schema), ...fields].filter((text) => text !== '').join(' ');
  return said === '' ? 'any bytes' : said;
}

function errorsOf({ errors }: Operation): string[][] {
  return errors.length === 0 ? [] : [[grouped(errors as readonly ErrorCode[])]];
}

/** The lines of each operation under its name; where several have the same, once under all of their names. */
function together(named: readonly (readonly [name: string, lines: readonly (readonly string[])[]])[]): string[][] {
  const names = new Map<string, string[]>();
  for (const [name, lines] of named) {
    const key = JSON.stringify(lines);
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  return [...names].flatMap(([key, of]) =>
    (JSON.parse(key) as string[][]).map((cells, at) => [at === 0 ? of.join(', ') : '', ...cells]),
  );
}

/** Groups first, each under its name. */
function grouped(errors: readonly ErrorCode[]): string {
  const groups = Object.entries(ERROR_GROUPS).filter(([, group]) => group.every((code) => errors.includes(code)));
  const inGroups = new Set(groups.flatMap(([, group]) => group));
  const others = errors.filter((code) => !inGroups.has(code));
  return [...groups.map(([name]) => name), ...(others.length > 0 ? [codes(others)] : [])].join(', ');
}

function codes(of: readonly ErrorCode[]): string {
  return [...new Set(of)].map((code) => `\`${code}\``).join(', ');
}

function valuesOf(schema: TSchema): string {
  const { enum: values } = schema as { readonly enum?: readonly string[] };
  return values === undefined ? '' : `One of ${values.map((value) => `\`${value}\``).join(', ')}.`;
}

function textOf(schema: TSchema): string {
  return (schema as { readonly description?: string }).description ?? '';
}
