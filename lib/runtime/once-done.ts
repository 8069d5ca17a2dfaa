/** What is made once for all who ask, and is kept only if that goes well. */

/** The same promise each time; after a failure, which may have been of the moment, the next who asks has it made again. */
export function onceDone<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
