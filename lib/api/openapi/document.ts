/**
 * An API's rows as an OpenAPI 3.1 document. It depends on its arguments alone: the same rows give the same
 * document, to the byte.
 */
import type { TSchema } from 'typebox';
import type { Authentication, Operation, Operations } from '../operation.ts';
import type { OperationContext } from './context.ts';
import { describeActions, describeOperation, type NamedOperation } from './operation.ts';
import { type Json, Schemas } from './schemas.ts';

export interface DocumentSource {
  readonly title: string;
  /** Version of the API, as in `Accept-Version`. */
  readonly version: string;
  readonly description: string;
  readonly operations: Operations;
  /** The `Accept-Version` header. */
  readonly acceptVersion: { readonly description: string; readonly default: string };
  /** All errors of the API, by code. */
  readonly errors: Readonly<Record<string, { readonly status: number; readonly when: string }>>;
  /** Codes of the errors that any operation may answer with. */
  readonly commonErrors: readonly string[];
  /** The named schemas; those in rows are recognized by their content. */
  readonly schemas: Readonly<Record<string, TSchema>>;
  readonly securitySchemes: Json;
  readonly security: Readonly<Record<Authentication, readonly Json[]>>;
}

export type OpenApiDocument = Readonly<Json>;

export function openApiDocument(source: DocumentSource): OpenApiDocument {
  const { title, version, description, commonErrors, errors, acceptVersion, securitySchemes } = source;
  const schemas = new Schemas(source.schemas);
  const context: OperationContext = { schemas, errors, security: source.security };
  const paths = pathsOf(context, source.operations);
  const parameters = {
    AcceptVersion: {
      name: 'Accept-Version',
      in: 'header',
      description: acceptVersion.description,
      schema: { type: 'string', default: acceptVersion.default },
    },
  };
  const responses = {
    Error: {
      description: [
        'Any other error, such as',
        ...commonErrors.map((code) => `- \`${code}\`: ${errors[code]?.when}`),
      ].join('\n'),
      content: { 'application/json': { schema: schemas.of(source.schemas['ErrorBody']) } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    paths,
    components: { schemas: schemas.components(), responses, parameters, securitySchemes },
  };
}

function pathsOf(context: OperationContext, operations: Operations): Json {
  const paths: Record<string, Json> = {};
  for (const [path, rows] of groupBy(Object.entries(operations), ([, { path: of }]) => of)) {
    const item: Json = {};
    for (const [method, found] of groupBy(rows, ([, operation]) => operation.method)) {
      item[method.toLowerCase()] = describeMethod(context, found);
    }
    paths[path.replace(/:(\w+)/g, '{$1}')] = item;
  }
  return paths;
}

function describeMethod(context: OperationContext, found: readonly NamedOperation[]): Json {
  const [only] = found;
  if (only !== undefined && found.length === 1 && only[1].action === undefined) return describeOperation(context, only);
  const nameless = found.find(([, { action, isDefaultAction }]) => action === undefined && !isDefaultAction);
  if (nameless) throw new Error(`${nameless[0]} shares its method and path with others but has no action`);
  return describeActions(context, found);
}

function groupBy(
  rows: readonly NamedOperation[],
  keyOf: (row: NamedOperation) => string,
): Map<string, [string, Operation][]> {
  const groups = new Map<string, [string, Operation][]>();
  for (const [name, operation] of rows) {
    const key = keyOf([name, operation]);
    groups.set(key, [...(groups.get(key) ?? []), [name, operation]]);
  }
  return groups;
}
