/** What names resolve to, in this process, in place of what the system would say. */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { Test } from 'tap';

type Lookup = (host: string, options: { all?: boolean }, callback: (...results: unknown[]) => void) => void;

export interface Names {
  /** The addresses of each look-up in turn; those of the last go on. */
  readonly of: Map<string, string[][]>;
  /** Names that were looked up, in their order. */
  readonly asked: string[];
}

/** For as long as the test runs. Names that it does not know are the system's. */
export function namesFor(t: Test): Names {
  const names: Names = { of: new Map(), asked: [] };
  const real = dns.lookup as unknown as Lookup;
  const lookup: Lookup = (host, options, callback) => {
    const turns = names.of.get(host);
    if (!turns) return real(host, options, callback);
    names.asked.push(host);
    const addresses = (turns.length > 1 ? turns.shift() : turns[0]) ?? [];
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => {
      if (options.all) callback(null, found);
      else callback(null, found[0]?.address, found[0]?.family);
    });
  };
  setLookup(lookup);
  t.teardown(() => setLookup(real));
  return names;
}

function setLookup(lookup: Lookup): void {
  (dns as { lookup: unknown }).lookup = lookup;
  // Modules that have imported it by its name get it too.
  syncBuiltinESMExports();
}
