import { startTimer } from './timers.ts';

/**
 * What a promise settles to within `milliseconds`; after that, what `late` returns or throws. How the promise ends then
 * concerns nobody.
 */
export function within<T, L>(milliseconds: number, promise: Promise<T>, late: () => L): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
    void promise.then(resolve, reject).finally(() => timer.stop());
  });
}
