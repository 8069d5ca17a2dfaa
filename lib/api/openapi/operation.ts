/** An operation of a document, from one row, or from the rows of all actions of one method and path. */
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
 * A document has one operation for a method and path, and none can be chosen by a parameter. So the actions of a route
 * are one operation there, which says of each part what it belongs to; `x-actions` has each of them by itself, in the
 * form of an operation.
 */
export function describeActions(context: OperationContext, actions: readonly NamedOperation[]): Json {
  const operations = actions.map(([, operation]) => operation);
  const named = operations.flatMap(({ action }) => action ?? []);
  const [[name, first] = ['', undefined]] = actions;
  if (first === undefined) throw new Error('a route has an action at least');
  const lines = actions.map(([of, { action, summary }]) => `- ${shown(action)} (${of}): ${summary}`);
  return {
    operationId: first.route ?? name,
    tags: [tagOf(first.path)],
    summary: `Does what \`action\` names: ${named.join(', ')}`,
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

/** What is done where a request names no action. */
const WITHOUT_ACTION = 'none';

function shown(action: string | undefined): string {
  return action === undefined ? WITHOUT_ACTION : `\`${action}\``;
}

/** The first part of the path that is not for the client to fill in. */
function tagOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return (parts.find((part) => !part.startsWith(':')) ?? parts[0])?.replace(/^\W+/, '') ?? 'service';
}

function actionParameter(operations: readonly Operation[]): Json {
  const standard = operations.find(({ isDefaultAction }) => isDefaultAction);
  const byDefault = standard?.action;
  return {
    name: 'action',
    in: 'query',
    required: standard === undefined,
    schema: {
      type: 'string',
      enum: operations.flatMap(({ action }) => action ?? []),
      ...(byDefault !== undefined && { default: byDefault }),
    },
  };
}
