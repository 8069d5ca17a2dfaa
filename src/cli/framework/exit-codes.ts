/** What the exit status of a command means: scripts tell failures apart without reading messages. */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For the help. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'the operation failed; stderr says why'],
  [EXIT.usage, 'the command line is wrong'],
  [EXIT.unreachable, 'the server cannot be reached'],
  [EXIT.notFound, 'not found, or not visible to the caller'],
  [EXIT.interrupted, 'interrupted by Ctrl-C'],
];
