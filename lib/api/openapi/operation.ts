/** An operation of a document, from one row or from the rows of all actions of a method and path. */
import type { Operation } from '../operation.ts';
import { requestBodyOf, responsesOf } from './bodies.ts';
import type { OperationContext } from './context.ts';
import { parametersOf } from './parameters.ts';
import type { Json } from './schemas.ts';

export type NamedOperation = readonly [name: string, operation: Operation];

const VERSION_PARAMETER = { $ref: '#/components/parameters/AcceptVersion' };

export function describeOperation(context: OperationContext, [name, operation]: NamedOperation): Json {
  const { summary, description, deprecated, since, callers, path, auth } = operation;
  return {
    operationId: name,
    tags: [tagOf(path)],
    summary: summary.replace(/\.$/, ''),
    ...(description !== undefined && { description }),
    ...(deprecated && { deprecated }),
    security: context.security[auth],
    parameters: [VERSION_PARAMETER, ...parametersOf(context, [operation])],
    ...requestBodyOf(context, [operation]),
    responses: responsesOf(context, [operation]),
    'x-since': since,
    'x-callers': callers,
  };
}

/**
 * A document has one operation for each method and path; a parameter cannot choose between several. So the actions of a
 * route become one operation, which says of each part which action it belongs to. `x-actions` lists them one by one, each
 * in the form of an operation.
 */
export function describeActions(context: OperationContext, actions: readonly NamedOperation[]): Json {
  const operations = actions.map(([, operation]) => operation);
  const named = operations.flatMap(({ action }) => action ?? []);
  const [[name, first] = ['', undefined]] = actions;
  if (first === undefined) throw new Error('a route needs at least one action');
  const lines = actions.map(([of, { action, summary }]) => `- ${actionLabel(action)} (${of}): ${summary}`);
  return {
    operationId: first.route ?? name,
    tags: [tagOf(first.path)],
    summary: `Does what \`action\` says: ${named.join(', ')}`,
    description: lines.join('\n'),
    security: context.security[first.auth],
    parameters: [VERSION_PARAMETER, actionParameter(operations), ...parametersOf(context, operations)],
    ...requestBodyOf(context, operations),
    responses: responsesOf(context, operations),
    'x-actions': Object.fromEntries(
      actions.map((action) => [action[1].action ?? WITHOUT_ACTION, describeOperation(context, action)]),
    ),
  };
}

/** Key of the operation for requests without `action`. */
const WITHOUT_ACTION = 'none';

function actionLabel(action: string | undefined): string {
  return action === undefined ? WITHOUT_ACTION : `\`${action}\``;
}

/** The first fixed part of the path. */
function tagOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return (parts.find((part) => !part.startsWith(':')) ?? parts[0])?.replace(/^\W+/, '') ?? 'service';
}

function actionParameter(operations: readonly Operation[]): Json {
  const byDefault = operations.find(({ isDefaultAction }) => isDefaultAction);
  const standard = byDefault?.action;
  return {
    name: 'action',
    in: 'query',
    required: byDefault === undefined,
    schema: {
      type: 'string',
      enum: operations.flatMap(({ action }) => action ?? []),
      ...(standard !== undefined && { default: standard }),
    },
  };
}
