/** The parameters of a request in its path, query and headers. */
import type { TObject, TSchema } from 'typebox';
import type { Operation } from '../operation.ts';
import type { OperationContext } from './context.ts';
import type { Json } from './schemas.ts';

type Place = 'path' | 'query' | 'header';

interface Found {
  readonly in: Place;
  readonly name: string;
  /** The operations that have it. */
  readonly uses: { readonly operation: Operation; readonly schema: TSchema; readonly isRequired: boolean }[];
}

/** The parameters of one operation, or of all actions of a route. */
export function parametersOf(context: OperationContext, operations: readonly Operation[]): Json[] {
  const found = new Map<string, Found>();
  for (const operation of operations) {
    for (const [place, object] of placesOf(operation)) {
      for (const [name, schema] of Object.entries(object.properties)) {
        const key = `${place} ${name}`;
        const parameter = found.get(key) ?? { in: place, name, uses: [] };
        parameter.uses.push({ operation, schema, isRequired: object.required?.includes(name) ?? false });
        found.set(key, parameter);
      }
    }
  }
  return [
    ...[...found.values()].map((parameter) => describeParameter(context, parameter, operations.length)),
    ...operations.flatMap((operation) => patternParameters(context, operation)),
  ];
}

function placesOf({ params, query, headers }: Operation): [Place, TObject][] {
  const places: [Place, TObject | undefined][] = [
    ['path', params],
    ['query', query],
    // OpenAPI has no `Accept` parameter: the media types of the answers say what there is.
    ['header', withoutAccept(headers)],
  ];
  return places.filter((place): place is [Place, TObject] => place[1] !== undefined);
}

function withoutAccept(headers: TObject | undefined): TObject | undefined {
  if (headers === undefined) return undefined;
  const { accept: _, ...properties } = headers.properties;
  return { ...headers, properties } as TObject;
}

function describeParameter({ schemas }: OperationContext, { in: place, name, uses }: Found, operations: number): Json {
  const [first] = uses;
  const { description: _, ...schema } = schemas.of(first?.schema);
  const description = descriptionOf(uses, operations);
  return {
    name,
    in: place,
    required: uses.length === operations && uses.every(({ isRequired }) => isRequired),
    ...(description !== '' && { description }),
    schema,
  };
}

/** What it means; and for which actions, where not all have it or it means different things to them. */
function descriptionOf(uses: Found['uses'], operations: number): string {
  const meanings = new Map<string, string[]>();
  for (const { operation, schema, isRequired } of uses) {
    const { description = '' } = schema as { readonly description?: string };
    const actions = meanings.get(description) ?? [];
    const name = operation.action === undefined ? 'no action' : `\`${operation.action}\``;
    actions.push(`${name}${isRequired ? ' (required)' : ''}`);
    meanings.set(description, actions);
  }
  if (meanings.size === 1 && uses.length === operations) return [...meanings.keys()].join();
  return [...meanings].map(([meaning, actions]) => `For ${actions.join(', ')}: ${meaning}`).join('\n');
}

/** Parameters whose names follow a pattern, as an object whose keys become parameters. */
function patternParameters({ schemas }: OperationContext, { query }: Operation): Json[] {
  const patterns = (query as { readonly patternProperties?: Readonly<Record<string, TSchema>> } | undefined)
    ?.patternProperties;
  return Object.entries(patterns ?? {}).map(([pattern, schema]) => ({
    name: pattern.replace(/\W/g, ''),
    in: 'query',
    required: false,
    style: 'form',
    explode: true,
    description: (schema as { readonly description?: string }).description ?? '',
    schema: { type: 'object', patternProperties: { [pattern]: schemas.of(schema) }, additionalProperties: false },
  }));
}
