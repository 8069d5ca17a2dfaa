/** Is told how each operation of a store ends, for metrics. */
export interface OperationObserver {
  /** `count` such operations have succeeded since the last call; the last one took `seconds`. */
  succeeded(operation: string, seconds: number, count: number): void;
  failed(operation: string, error: unknown): void;
}

export const UNOBSERVED: OperationObserver = { succeeded: () => undefined, failed: () => undefined };

/** Makes a call, tells the observer how it ended, and throws its failure as `explain` explains it. */
export async function observed<T>(
  observer: OperationObserver,
  operation: string,
  call: () => Promise<T>,
  explain: (error: unknown) => unknown,
): Promise<T> {
  const start = performance.now();
  try {
    const result = await call();
    observer.succeeded(operation, (performance.now() - start) / 1000, 1);
    return result;
  } catch (error) {
    const explained = await explain(error);
    observer.failed(operation, explained);
    throw explained;
  }
}
