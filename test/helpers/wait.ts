/** Waiting for a condition, never for a time. */

/**
 * Milliseconds after which what a test waits for does not come any more. Only a test that fails waits so long; on a
 * machine that is busy with other work everything takes many times what it usually takes.
 */
export const PATIENCE_MS = 120_000;

/** Asks until the answer is not undefined or false, at most `bound` milliseconds long. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  bound = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + bound;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 200)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${bound} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
