/** A listener with whatever routes a test needs, and the lines that it logs. */
import bunyan from 'bunyan';
import type { Test } from 'tap';
import { plainErrors } from '#src/http-kit/answer.ts';
import type { Handler, Route } from '#src/http-kit/call.ts';
import type { AnyCall, Limits, ListenerOptions } from '#src/http-kit/listener-options.ts';
import { RequestCall } from '#src/http-kit/request-call.ts';
import { type Listener, listen } from '#src/http-kit/server.ts';

export interface LoggedListener extends Listener {
  readonly log: bunyan;
  /** bunyan's records of all levels. */
  readonly lines: readonly LogLine[];
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export async function startListener(
  t: Test,
  routes: Readonly<Record<string, Handler<AnyCall>>>,
  { connections = {}, ...options }: Partial<ListenerOptions<AnyCall>> & Pick<Limits, 'connections'> = {},
): Promise<LoggedListener> {
  const lines: LogLine[] = [];
  const stream = { write: (line: unknown) => lines.push(line as LogLine) };
  const log = bunyan.createLogger({
    name: 'test',
    level: 'trace',
    streams: [{ type: 'raw', level: 'trace', stream: stream as never }],
  });
  const listener = await listen(
    {
      routes: Object.entries(routes).map(([at, handler]): Route<AnyCall> => {
        const [method = '', path = ''] = at.split(' ');
        return { name: path.slice(1), method: method as Route<AnyCall>['method'], path, handler };
      }),
      log,
      serverName: 'test',
      limits: { json: 1024 * 1024, connections },
      call: RequestCall,
      versions: () => undefined,
      authenticate: async () => undefined,
      errors: plainErrors,
      ...options,
    },
    '127.0.0.1',
    0,
  );
  t.teardown(() => listener.close({ patience: 0 }));
  return { ...listener, log, lines };
}
