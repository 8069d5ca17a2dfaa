/** Work on many things of which none is to keep another from its turn. */

/** Does `work` for each item, in order, also when it fails for some. @throws the first failure, when all had their turn */
export async function forEachInTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
