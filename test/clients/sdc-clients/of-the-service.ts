/** What the client asks of the server itself. */

import { CHANNELS } from '../modes.ts';
import type { MethodTests } from './given.ts';

export const OF_THE_SERVICE: MethodTests = {
  ping: {
    args: () => [],
    isOpen: true,
    check: (t, answer) => t.match(answer, { ping: 'pong', imgapi: true, version: String }),
  },

  adminGetState: {
    args: () => [],
    check: (t, answer) => t.match(answer, { storageTypes: ['local'], log: { level: Number } }),
  },

  adminReloadAuthKeys: {
    args: () => [],
    check: (t, answer) => t.match(answer, { statusCode: 200 }),
  },

  listChannels: {
    args: () => [{}],
    isOpen: true,
    isAbsent: ({ served }) => served.mode === 'dc',
    check: (t, answer) => t.same(answer, CHANNELS),
  },
};
