/**
 * Does long work on the event loop in pieces. All long work takes turns, with one piece in each round of the loop. So
 * everything else waits for one piece, not for as many as there are clients.
 */

/** Milliseconds that a piece may take. */
const PIECE_MS = 8;

const waiting: (() => void)[] = [];

function releaseNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(releaseNext);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(releaseNext);
  });
}

/**
 * Divides work into pieces: call `if (turn.isOver) await turn.next()` between any two steps. A new one is over already,
 * because its caller may have been working for a while.
 */
export class Turn {
  #end = 0;

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#end = performance.now() + PIECE_MS;
  }
}
