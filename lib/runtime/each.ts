/** Work on many items, where a failure of one must not keep the others from their turn. */
/**
 * Does `work` for each item, in order, even if it fails for some. For batches of items, nest two calls: otherwise a
 * failure in one batch would skip the rest of it.
 * @throws the first failure, after all items had their turn; an error of the iteration itself immediately
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
