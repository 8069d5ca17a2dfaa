/** Who is told how the operations of a store end, for metrics. */
export interface OperationObserver {
  /** `count` operations of a kind ended well since the last call; the last of them took so many seconds. */
  succeeded(operation: string, seconds: number, count: number): void;
  failed(operation: string, error: unknown): void;
}

export const UNOBSERVED: OperationObserver = { succeeded: () => undefined, failed: () => undefined };
