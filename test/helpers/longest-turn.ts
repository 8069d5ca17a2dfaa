/**
 * How long the event loop was held at the most, by the time that its thread computed: what other processes take from
 * a loaded machine does not count.
 */
export interface TurnWatch {
  /** Milliseconds of the longest turn; ends the watch. */
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
