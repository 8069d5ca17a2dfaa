/** Is told how each operation of a store ends, for metrics. */
export interface OperationObserver {
  /** `count` such operations have succeeded since the last call; the last one took `seconds`. */
  succeeded(operation: string, seconds: number, count: number): void;
  failed(operation: string, error: unknown): void;
}

export const UNOBSERVED: OperationObserver = { succeeded: () => undefined, failed: () => undefined };
