/** Waiting for a condition, never for a time. */

/** Asks until the answer is not undefined or false, at most `bound` milliseconds long. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  bound = 30_000,
): Promise<T> {
  const end = Date.now() + bound;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 200)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${bound} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
