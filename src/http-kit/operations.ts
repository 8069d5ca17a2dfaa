/** From the rows of an API, and a handler for each, to the routes of a listener. */
import type { BodyOf, Operation, Operations, QueryOf, RequestBody } from '#lib/api/operation.ts';
import type { Call, Handler, Parameters, Reply, Route } from './call.ts';
import { type BodyForm, bodyReader, type ParameterForm, queryReader } from './parameters.ts';

/** A handler for every operation, by name: of the call, and of its parameters and its body as the row has them. */
export type Handlers<Rows extends Operations, C> = {
  readonly [Name in keyof Rows]: (call: C, query: QueryOf<Rows[Name]>, body: ReadBody<Rows[Name]>) => Promise<Reply>;
};

/** Reads the body when it is called: what is wrong with it may have to wait until then. */
export type ReadBody<O extends Operation> = () => Promise<BodyOf<O>>;

/** Where one method and path have several operations, which the `action` parameter tells apart. */
export interface Dispatch<C> {
  /** What may be wrong with the request whatever the action. */
  readonly before?: (call: C) => void | Promise<void>;
  /** For an action that is none, or is missing. @param actions those that there are */
  readonly otherwise: (call: C, actions: readonly string[]) => Promise<Reply>;
}

export interface OperationRoute<C> extends Route<C> {
  readonly auth: Operation['auth'];
}

export interface RouteOptions<C, Row extends Operation = Operation> {
  /** Leaves out what this server does not have. */
  readonly isServed?: (row: Operation) => boolean;
  /** Puts in front of a handler what all operations of its kind begin with. */
  readonly wrap?: (handler: Handler<C>, row: Row, name: string) => Handler<C>;
  /** How parameters are read, where it is not as IMGAPI reads them. */
  readonly parameterForm?: ParameterForm;
  /** Needed where rows say how bodies are checked. */
  readonly bodies?: Bodies<C>;
  /** By the name of the route. */
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
  if (!otherwise) throw new Error(`route ${name} has actions, and nothing to do about one that is none`);
  const operations = new Map([first, ...more].map((operation) => [operation.row.action, operation]));
  const standard = [first, ...more].find(({ row }) => row.isDefaultAction);
  const actions = [...operations.keys()].filter((known) => known !== undefined);
  const chosen = ({ action: asked }: Parameters): Mounted<C> | undefined => {
    if (asked === undefined) return standard;
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
