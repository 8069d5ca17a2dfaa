/** Servers in each mode that an IMGAPI can be in, with and without signatures, and clients for them. */
import type { Test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { classicSigner } from '#lib/signing/signers.ts';
import { type InProcess, startInProcess } from '../helpers/imgapi.ts';
import { AUTH_KEYS, KEY_NAMES, KEYS } from '../src/imgapi/fixtures/signing.ts';
import { type SdcImgapi, sdcImgapi } from './sdc-clients/client.ts';

export interface ServedMode {
  readonly mode: 'dc' | 'public' | 'private';
  readonly authType: 'none' | 'signature';
}

export const SERVED_MODES: readonly ServedMode[] = (['dc', 'public', 'private'] as const).flatMap((mode) =>
  (['none', 'signature'] as const).map((authType) => ({ mode, authType })),
);

export const nameOf = ({ mode, authType }: ServedMode): string =>
  `${mode} mode ${authType === 'none' ? 'without' : 'with'} signatures`;

/** As the public update server has them. */
export const CHANNELS = [
  { name: 'experimental', description: 'not for anybody else' },
  { name: 'dev', description: 'each build', default: true },
  { name: 'release', description: 'what is supported' },
];

export interface Served extends ServedMode {
  readonly server: InProcess;
  /** Operators: they sign where signatures are in use. */
  readonly call: SdcImgapi;
  /** Signs nothing. */
  readonly anonymous: SdcImgapi;
  /** Operators, through our own client. */
  readonly operator: ImgapiClient;
  /** What an image has to be here. */
  readonly visibility: { readonly public: boolean };
}

/** Datacenters have no channels. Operators sign with a key of another kind in each mode. */
export async function serve(t: Test, served: ServedMode, keys: object = {}): Promise<Served> {
  const { mode, authType } = served;
  const server = await startInProcess(t, {
    ...{ mode, authType },
    ...(mode !== 'dc' && { channels: CHANNELS }),
    ...(authType === 'signature' && { authKeys: AUTH_KEYS }),
    ...keys,
  });
  const kind = KEY_NAMES[SERVED_MODES.findIndex((one) => one.mode === mode && one.authType === authType) % 4] ?? 'rsa';
  const signer = authType === 'signature' ? { user: 'sue', key: KEYS[kind] } : undefined;
  return {
    ...served,
    server,
    call: sdcImgapi(t, server.url, { ...(signer && { signer }) }),
    operator: server.client({ ...(signer && { signer: classicSigner({ keyId: signer.user, key: signer.key }) }) }),
    anonymous: sdcImgapi(t, server.url),
    visibility: { public: mode === 'public' },
  };
}
