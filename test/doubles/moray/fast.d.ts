/** What is used of fast 3, which ships no types. */
declare module 'fast' {
  import type { Server } from 'node:net';
  import type Logger from 'bunyan';

  export interface FastRpc {
    argv(): unknown[];
    write(record: object): boolean;
    end(): void;
    fail(error: Error): void;
  }

  class FastServer {
    constructor(options: { readonly log: Logger; readonly server: Server; readonly crc_mode?: number });
    registerRpcMethod(method: { readonly rpcmethod: string; readonly rpchandler: (rpc: FastRpc) => void }): void;
    close(): void;
  }

  const fast: { readonly FastServer: typeof FastServer };
  export default fast;
}
