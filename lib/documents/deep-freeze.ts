/** Freezes a JSON value and everything in it, so that all readers can share one parsed document. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) {
      deepFreeze(part);
    }
    Object.freeze(value);
  }
  return value;
}
