import type { Store } from '#lib/documents/store.ts';

/** The same store with its clock this many milliseconds ahead. */
export function storeLater(store: Store, milliseconds: number): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'now') return () => target.now() + milliseconds;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
