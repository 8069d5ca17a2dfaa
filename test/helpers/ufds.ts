/** UFDS with the people of the test cloud, for servers that take their accounts from it. */
import { generateKeyPairSync } from 'node:crypto';
import sshpk from 'sshpk';
import type { Test } from 'tap';
import type { Account, Keys } from '#lib/accounts/accounts.ts';
import { BIND, type UfdsDouble, type UfdsDoubleOptions, ufdsDoubleFor } from '../doubles/ufds.ts';
import { PEOPLE } from './accounts.ts';
import type { ConfigKeys } from './imgapi.ts';
import { entriesOf } from './ufds-entries.ts';

export interface TestUfds {
  readonly double: UfdsDouble;
  /** For the configuration of IMGAPI; CloudAPI takes them too. */
  readonly keys: ConfigKeys;
}

export interface TestUfdsOptions extends Pick<UfdsDoubleOptions, 'tls'> {
  readonly accounts?: readonly Account[];
  /** By account. */
  readonly sshKeys?: Readonly<Record<string, Keys>>;
  /** More keys of the section `ufds`. */
  readonly ufds?: object;
}

export async function ufdsFor(t: Test, options: TestUfdsOptions = {}): Promise<TestUfds> {
  const { accounts = PEOPLE, sshKeys, tls, ufds } = options;
  const double = await ufdsDoubleFor(t, { entries: entriesOf(accounts, sshKeys), ...(tls && { tls }) });
  return { double, keys: { accounts: { file: undefined }, ufds: { url: double.url, ...BIND, ...ufds } } };
}

/** A certificate that signs itself, as UFDS's does. */
export function selfSigned(name: string): { readonly certificate: string; readonly key: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const host = sshpk.identityForHost(name);
  const certificate = sshpk.createSelfSignedCertificate([host], sshpk.parsePrivateKey(key, 'pem'), {
    lifetime: 86_400,
  });
  return { certificate: certificate.toString('pem'), key };
}
