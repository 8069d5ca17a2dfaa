/**
 * Another IMGAPI's main port as a source: either from `imgapiUrlFromDatacenter` (legacy), or a URL that an operator
 * named. It may be any version, so requests are unsigned, manifests are in the 2.0.0 format, and files are streamed.
 */
import { expectSuccess } from '#lib/client/answer.ts';
import { download } from '#lib/client/download.ts';
import { smallJson } from '#lib/client/small-json.ts';
import type { HttpTransport } from '#lib/client/transport.ts';
import type { Guarded } from '../peers/address-guard.ts';
import { SourceInvalidError } from '../peers/errors.ts';
import { foreignTransport, namedTransport, stallTimeout } from '../peers/transports.ts';
import { foreignImage } from './foreign-manifest.ts';
import type { ImageSource } from './source.ts';
import { indexOf, query, sourceFile, sourceIcon } from './source-requests.ts';

export interface ImgapiSource extends ImageSource {
  /** The unchecked manifest, requested as operator. */
  getManifest(uuid: string, signal: AbortSignal): Promise<unknown>;
}

export function legacySource(service: Guarded, name: string, url: string): ImgapiSource {
  return imgapiSource(service, { name, kind: 'legacy', transport: namedTransport(url, service) });
}

/**
 * Operators only, because whoever chooses the URL chooses the image's content. @throws 422 for a private address,
 * unless these are allowed
 */
export function urlSource(service: Guarded, url: string): ImgapiSource {
  const { searchParams } = new URL(url);
  const channel = searchParams.get('channel') ?? undefined;
  const transport = foreignTransport(url, service);
  return imgapiSource(service, { name: url, kind: 'url', transport, ...(channel !== undefined && { channel }) });
}

interface ImgapiPeer {
  readonly name: string;
  readonly kind: 'legacy' | 'url';
  readonly transport: HttpTransport;
  readonly channel?: string;
}

function imgapiSource(service: Guarded, { name, kind, transport, channel }: ImgapiPeer): ImgapiSource {
  // IMGAPIs have always sent each other this version.
  const headers = { 'accept-version': '*', 'user-agent': service.config.serverName };
  const request = (path: string, account: string | undefined, signal: AbortSignal, index?: string) =>
    ({ method: 'GET', path: path + query({ account, channel, index }), headers, signal }) as const;
  const manifestOf = (uuid: string, account: string | undefined, signal: AbortSignal): Promise<unknown> =>
    smallJson((message) => transport.send(message), request(`/images/${uuid}`, account, signal));
  return {
    name,
    kind,
    getManifest: (uuid, signal) => manifestOf(uuid, undefined, signal),
    async getImage(uuid, account, signal) {
      const answer = await manifestOf(uuid, account, signal);
      return foreignImage(answer, { source: name, uuid, neverPublic: account !== undefined });
    },
    getIcon: (uuid, account, signal) =>
      sourceIcon(
        async () => expectSuccess(await transport.send(request(`/images/${uuid}/icon`, account, signal))),
        service.config.limits.iconBytes,
      ),
    async getFile(uuid, wanted) {
      const { account, start, signal } = wanted;
      // Without If-Match: an older IMGAPI compares it with the wrong ETag and would always answer 412.
      const asked = request(`/images/${uuid}/file`, account, signal, indexOf(wanted));
      const message = { ...asked, answerTimeout: stallTimeout(service) };
      const found = await download(transport, message, { start });
      return sourceFile(found, wanted);
    },
    createPullUrl: async () => undefined,
    endPull: async () => {},
    getPullUrl: async () => {
      throw new SourceInvalidError(`${name} does not offer pull URLs`);
    },
    getPieces: async () => undefined,
    storeIdentities: async () => [],
  };
}
