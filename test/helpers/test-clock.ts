import type { Clock } from '#lib/runtime/clock.ts';

/** A clock that goes as the real one does, and can be put forward. */
export class TestClock implements Clock {
  /** Milliseconds ahead of the real time. */
  ahead = 0;

  now(): number {
    return Date.now() + this.ahead;
  }
}
