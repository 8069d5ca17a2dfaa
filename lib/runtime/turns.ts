/**
 * Long work on the event loop, in pieces. All that is long takes turns, one piece in each round of the loop, so that
 * what everybody else waits for is one piece and not as many as there are clients.
 */

/** Milliseconds that a piece may take. */
const PIECE_MS = 8;

const waiting: (() => void)[] = [];

function releaseNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) {
    setImmediate(releaseNext);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) {
      setImmediate(releaseNext);
    }
  });
}

/**
 * One piece of work after the other: `if (turn.isOver) await turn.next()` between any two things that are done.
 * It begins with a piece that is over, because who calls may have worked already.
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
