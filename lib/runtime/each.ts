/** Work on many things of which none is to keep another from its turn. */

/**
 * Does `work` for each item, in order, also when it fails for some. What comes bit by bit is done in two of these, or
 * a failure would keep the bits behind it from their turn.
 * @throws the first failure, when all had their turn; at once what the items themselves fail with
 */
export async function forEachInTurn<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    try {
      await work(item);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
}
