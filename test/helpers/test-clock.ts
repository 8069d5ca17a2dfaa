import type { Clock } from '#lib/runtime/clock.ts';

/** A clock that runs like the real one and can be set ahead. */
export class TestClock implements Clock {
  /** Milliseconds ahead of the real time. */
  ahead = 0;

  now(): number {
    return Date.now() + this.ahead;
  }
}
