/** Waits for a condition, never for a fixed time. */

/**
 * Milliseconds after which a test gives up waiting. Only a failing test waits this long; the limit is high because
 * everything takes many times longer than usual on a busy machine.
 */
export const PATIENCE_MS = 120_000;

/** Asks until the answer is neither undefined nor false, for at most `bound` milliseconds. */
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
