/**
 * Measures the longest time that the event loop is blocked, in CPU time of its thread, so that other processes on a
 * busy machine do not count.
 */
export interface TurnWatch {
  /** Ends the measurement; returns the milliseconds of the longest turn. */
  end(): number;
}

export function watchTurns(): TurnWatch {
  let longest = 0;
  let isEnded = false;
  let before = computed();
  const look = (): void => {
    const now = computed();
    longest = Math.max(longest, now - before);
    before = now;
    if (!isEnded) setImmediate(look);
  };
  setImmediate(look);
  return {
    end() {
      isEnded = true;
      return Math.max(longest, computed() - before);
    },
  };
}

function computed(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
