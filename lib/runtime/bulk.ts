/**
 * Bytes of files on their way through the event loop. Where many streams have more than they can take, each would work off
 * what it has before anybody else is served, and whoever asks for one image would wait for all of that. So in each round
 * of the loop they have a little time together, and take turns with it.
 */

/**
 * Milliseconds of a round: less than as many requests take. A turn that has begun ends late, so that rounds of 2 ms were 7 in one of ten;
 * and no fewer bytes come than with those.
 */
const ROUND_MS = 0.5;

const waiting: (() => void)[] = [];
/** `performance.now()` of the first bytes in this round. */
let begun: number | undefined;

/** To be asked before the next bytes are taken: undefined if they may be taken at once, otherwise it is to be waited for. */
export function turnForBytes(): Promise<void> | undefined {
  if (begun === undefined) begin();
  if (waiting.length === 0 && !isOver()) return undefined;
  return new Promise((resolve) => waiting.push(resolve));
}

function begin(): void {
  begun = performance.now();
  setImmediate(beginNext);
}

function beginNext(): void {
  begun = undefined;
  if (waiting.length === 0) return;
  begin();
  letOneGo();
}

function letOneGo(): void {
  waiting.shift()?.();
  // A tick that a microtask asks for comes when all are done: what the one does with its bytes counts.
  if (waiting.length > 0) queueMicrotask(() => process.nextTick(letNextGo));
}

function letNextGo(): void {
  if (!isOver()) letOneGo();
}

function isOver(): boolean {
  return begun !== undefined && performance.now() - begun >= ROUND_MS;
}
