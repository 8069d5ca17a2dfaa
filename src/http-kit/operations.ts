/** Makes the routes of a listener from the rows of an API and a handler for each. */
import type { BodyOf, Operation, Operations, QueryOf, RequestBody } from '#lib/api/operation.ts';
import type { Call, Handler, Parameters, Reply, Route } from './call.ts';
import { type BodyForm, bodyReader, type ParameterForm, queryReader } from './parameters.ts';

/** A handler for every operation, by name. It takes the call, and the parameters and body that the row describes. */
export type Handlers<Rows extends Operations, C> = {
  readonly [Name in keyof Rows]: (
    call: C,
    query: QueryOf<Rows[Name]>,
    body: ReadBody<Rows[Name]>,
  ) => Reply | Promise<Reply>;
};

/** Reads the body when it is called, so that the handler decides which checks come before. */
export type ReadBody<O extends Operation> = () => Promise<BodyOf<O>>;

/** For a method and path with several operations, told apart by the `action` parameter. */
export interface Dispatch<C> {
  /** Checks that apply whatever the action is. */
  readonly before?: (call: C) => void | Promise<void>;
  /** Handles a missing or unknown action. @param actions the known ones */
  readonly otherwise: (call: C, actions: readonly string[]) => Promise<Reply>;
}

export interface OperationRoute<C> extends Route<C> {
  readonly auth: Operation['auth'];
}

export interface RouteOptions<C, Row extends Operation = Operation> {
  /** False leaves out an operation that this server does not have. */
  readonly isServed?: (row: Operation) => boolean;
  /** Adds to a handler what all operations of its kind begin with. */
  readonly wrap?: (handler: Handler<C>, row: Row, name: string) => Handler<C>;
  /** How parameters are read; default: as IMGAPI reads them. */
  readonly parameterForm?: ParameterForm;
  /** Needed if rows say how bodies are checked. */
  readonly bodies?: Bodies<C>;
  /** By name of the route. */
  readonly dispatches?: Readonly<Record<string, Dispatch<C>>>;
}

export interface Bodies<C> extends BodyForm {
  /** The JSON of a body, in whichever way it comes; undefined for none. */
  readonly read: (call: C, body: RequestBody) => Promise<unknown>;
}

/** One route for each method and path of the rows. */
export function operationRoutes<Rows extends Operations, C extends Call>(
  rows: Rows,
  handlers: Handlers<Rows, C>,
  {
    isServed = () => true,
    wrap = (handler) => handler,
    parameterForm,
    bodies,
    dispatches = {},
  }: RouteOptions<C, Rows[keyof Rows]> = {},
): OperationRoute<C>[] {
  const all = Object.keys(rows).map((name) => {
    const operation = mounted(name, rows, handlers, parameterForm, bodies);
    return { ...operation, handler: wrap(operation.handler, rows[name] as Rows[keyof Rows], name) };
  });
  const byPath = Map.groupBy(
    all.filter(({ row }) => isServed(row)),
    ({ row }) => `${row.method} ${row.path}`,
  );
  return [...byPath.values()].map(([first, ...more]) => routeOf(first as Mounted<C>, more, dispatches));
}

interface Mounted<C> {
  readonly name: string;
  readonly row: Operation;
  readonly handler: Handler<C>;
}

function mounted<Rows extends Operations, Name extends keyof Rows & string, C extends Call>(
  name: Name,
  rows: Rows,
  handlers: Handlers<Rows, C>,
  form: ParameterForm | undefined,
  bodies: Bodies<C> | undefined,
): Mounted<C> {
  const row = rows[name] as Rows[Name];
  const handler = handlers[name];
  const read = queryReader<Rows[Name]>(row, form);
  const readBody = bodyOf<Rows[Name], C>(row, bodies);
  return { name, row, handler: (call) => handler(call, read(call.parameters), () => readBody(call)) };
}

function bodyOf<O extends Operation, C>(row: O, bodies: Bodies<C> | undefined): (call: C) => Promise<BodyOf<O>> {
  const { body } = row;
  if (!body || 'bytes' in body || body.check === undefined) {
    return () => Promise.reject(new Error(`the row of ${row.path} does not say how its body is checked`));
  }
  if (!bodies) throw new Error(`nothing says how the body of ${row.path} is read`);
  const check = bodyReader<O>(body, bodies);
  return async (call) => check(await bodies.read(call, body));
}

function routeOf<C extends Call>(
  first: Mounted<C>,
  more: readonly Mounted<C>[],
  dispatches: Readonly<Record<string, Dispatch<C>>>,
): OperationRoute<C> {
  const { method, path, auth, action, route: name = first.name } = first.row;
  const route = { name, method, path, auth };
  if (action === undefined && more.length === 0) {
    return { ...route, handler: first.handler };
  }
  const { before, otherwise } = dispatches[name] ?? {};
  if (!otherwise) throw new Error(`route ${name} has actions, but nothing that handles an unknown one`);
  const operations = new Map([first, ...more].map((operation) => [operation.row.action, operation]));
  const standard = [first, ...more].find(({ row }) => row.isDefaultAction);
  const actions = [...operations.keys()].filter((known) => known !== undefined);
  const chosen = ({ action: asked }: Parameters): Mounted<C> | undefined => {
    if (asked === undefined || asked === '') return standard;
    return typeof asked === 'string' ? operations.get(asked) : undefined;
  };
  return {
    ...route,
    async handler(call) {
      if (before) await before(call);
      const operation = chosen(call.parameters);
      return operation ? operation.handler(call) : otherwise(call, actions);
    },
    operationOf: ({ parameters }) => chosen(parameters)?.name,
  };
}
