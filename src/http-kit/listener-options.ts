/** What a listener is told, and what it tells of the requests that it has answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Logger from 'bunyan';
import type { ErrorForm } from './answer.ts';
import type { Route } from './call.ts';
import type { ConnectionLimits } from './connections.ts';
import type { Exchange } from './exchange.ts';
import type { ReplyHeaders } from './reply.ts';
import type { RequestCall, RequestCallOptions, Versions } from './request-call.ts';

/** A call of any API, with any type of version and identity. */
export type AnyCall = RequestCall<unknown, unknown>;

/** `C` is the API's call, `R` its route. */
export interface ListenerOptions<C extends AnyCall, R extends Route<C> = Route<C>> {
  readonly routes: readonly R[];
  readonly log: Logger;
  /** The Server header. */
  readonly serverName: string;
  /** Further headers of every answer; its own go before them. */
  readonly headers?: (answered: Answered) => ReplyHeaders;
  readonly limits: Limits;
  /**
   * Names, in lower case, by which a browser's pages may change something here besides addresses and localhost. Absent:
   * any, where every request proves who it is.
   */
  readonly pageHosts?: readonly string[];
  readonly call: new (
    request: IncomingMessage,
    response: ServerResponse,
    options: RequestCallOptions<C['version']>,
  ) => C;
  readonly versions: Versions<C['version']>;
  /** Rejects a request that may not pass, with the error to answer with. No promise where nothing has to be waited for. */
  readonly authenticate: (call: C, route: R) => C['identity'] | Promise<C['identity']>;
  readonly errors: ErrorForm;
  /**
   * Waited for before a request that may change something is answered, whatever the answer: also when nothing was left to
   * do, the client relies on what was found. With `of` `'all'`, before any.
   */
  readonly lasting?: { readonly settled: () => Promise<void>; readonly of: 'writes' | 'all' };
  /** Called once per request, when its answer was sent or its client has left. */
  readonly onDone?: (done: Done<C>) => void;
}

/** What is answered, and by which route; undefined if the request reached none. */
export interface Answered extends Pick<Exchange, 'request' | 'requestId'> {
  readonly route: Pick<Route<never>, 'path'> | undefined;
  /** Whether the connection takes another request after this one. */
  readonly staysOpen: boolean;
  /** Milliseconds since the request's header arrived. */
  readonly elapsed: number;
}

export interface Limits {
  /** Bytes of a JSON body. */
  readonly json: number;
  /** Milliseconds for a small body to be whole; 10 s if absent. */
  readonly bodyMs?: number;
  readonly connections?: Partial<ConnectionLimits>;
}

export interface Done<C = AnyCall> {
  readonly route: string;
  /** What was asked for: the name of the route if it has only one operation; undefined for none. */
  readonly operation: string | undefined;
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined for a request that reached no route. */
  readonly call: C | undefined;
  readonly error: unknown;
  /** Milliseconds from the request's header to the answer's last byte. */
  readonly elapsed: number;
}

/** Stands for the name of the route when a request reached none. */
export const UNROUTED = 'unrouted';
