/**
 * Named places where a crash would hurt most. In production they do nothing. The fault tests set the environment
 * variable `IMGAPI_FAULT` to end or pause the process there, and check that it recovers.
 */
export const FAULT_POINTS = [
  'upload:kept',
  'upload:staged',
  'upload:intent-recorded',
  'upload:placed',
  'upload:recorded',
  'late-hash:computed',
  'move:claimed',
  'move:copying',
  'move:recorded',
  'former:removed',
  'export:file-written',
  'delete:tombstone',
  'delete:bytes-gone',
  'delete:kept',
  'undelete:recorded',
  'copy:order-recorded',
  'copy:transfer-claimed',
  'copy:receiving',
  'copy:received',
  'copy:placed',
  'copy:before-commit',
  'copy:committed',
  'fan-out:asking',
  'fan-out:answered',
  'fan-out:released',
  'webhook:sent',
  'pull:linked',
  'rename:reserved',
  'rename:placed',
  'clone:journaled',
  'clone:placed',
  'clone:committed',
  'from-vm:recorded',
  'from-vm:asking',
  'from-vm:asked',
  'from-vm:task-recorded',
  'task:claimed',
  'scrub:marked',
  'scrub:kept',
  'repair:fetched',
  'migrate:copied',
  'migrate:fenced',
  'migrate:verified',
  'migrate:done',
  'import:staged',
  'import:begun',
  'import:placed',
  'import:done',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

export interface FaultPoints {
  /** Resolves immediately, unless `IMGAPI_FAULT` names this point. */
  reach(point: FaultPoint): Promise<void>;
}

export const noFaults: FaultPoints = { reach: async () => {} };

/**
 * `NAME=kill` ends the process with SIGKILL the first time it reaches the point, `NAME=kill@N` the Nth time;
 * `NAME=stop` pauses it with SIGSTOP.
 */
export function faultsFrom(setting: string | undefined): FaultPoints {
  if (!setting) return noFaults;
  const match = /^([a-z:-]+)=(kill|stop)(?:@(\d+))?$/.exec(setting);
  const point = FAULT_POINTS.find((name) => name === match?.[1]);
  if (!match || !point) {
    throw new Error(`IMGAPI_FAULT=${setting}: want POINT=kill|stop[@N], POINT one of ${FAULT_POINTS.join(', ')}`);
  }
  const signal = match[2] === 'kill' ? 'SIGKILL' : 'SIGSTOP';
  let left = Number(match[3] ?? 1);
  return {
    async reach(passed) {
      if (passed !== point || --left !== 0) return;
      process.kill(process.pid, signal);
      // The signal takes effect asynchronously; nothing may run until then.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    },
  };
}
