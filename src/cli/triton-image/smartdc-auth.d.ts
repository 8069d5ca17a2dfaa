/** What is used of smartdc-auth 2, which ships no types. */
declare module 'smartdc-auth' {
  import type { Fingerprint } from 'sshpk';

  export interface Signed {
    /** Such as `rsa-sha256`. */
    readonly algorithm: string;
    /** MD5 fingerprint of the key. */
    readonly keyId: string;
    /** Base64. */
    readonly signature: string;
  }

  export type Sign = (text: string, done: (error: Error | null, signed?: Signed) => void) => void;

  export interface KeyPair {
    /** Name of the file. */
    readonly source?: string;
    canSign(): boolean;
    /** Whether it needs a passphrase. */
    isLocked(): boolean;
    /** @throws when it is not the passphrase */
    unlock(passphrase: string): void;
    createSign(options: { readonly user: string }): Sign;
  }

  export interface KeyRingOptions {
    readonly plugins: readonly ('agent' | 'homedir')[];
    /** Instead of `~/.ssh`. */
    readonly keyDir?: string;
    readonly sshAgentOpts?: { readonly socketPath: string };
  }

  class KeyRing {
    constructor(options: KeyRingOptions);
    find(fingerprint: Fingerprint, done: (error: Error | null, pairs?: readonly KeyPair[]) => void): void;
  }

  const auth: { readonly KeyRing: typeof KeyRing };
  export default auth;
}
