/**
 * The main port of another IMGAPI as a source: one of `imgapiUrlFromDatacenter` (legacy), or one that an operator named
 * by URL. It may be of any version: it is asked for the 2.0.0 view, unsigned, and its files are streamed.
 */
import { expectSuccess } from '#lib/client/answer.ts';
import { download } from '#lib/client/download.ts';
import type { HttpAnswer, HttpTransport } from '#lib/client/transport.ts';
import type { Service } from '../../service/service.ts';
import { readSmallJson } from '../links/link-client.ts';
import { type ImageSource, SourceInvalidError } from './source.ts';
import { sourceImage } from './source-image.ts';
import { query, sourceFile, sourceIcon } from './source-requests.ts';
import { foreignTransport, namedTransport } from './transports.ts';

/** What IMGAPIs have always given to each other. */
const HEADERS = { 'accept-version': '*' };

export function legacySource(service: Service, name: string, url: string): ImageSource {
  return imgapiSource(service, { name, kind: 'legacy', transport: namedTransport(url, service) });
}

/**
 * Operators only: whoever names the URL chooses what is taken for an image. @throws 422 for a private address, where
 * these are not allowed
 */
export function urlSource(service: Service, url: string): ImageSource {
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

function imgapiSource(service: Service, { name, kind, transport, channel }: ImgapiPeer): ImageSource {
  const get = async (path: string, account: string | undefined, signal: AbortSignal): Promise<HttpAnswer> =>
    expectSuccess(
      await transport.send({ method: 'GET', path: path + query({ account, channel }), headers: HEADERS, signal }),
    );
  return {
    name,
    kind,
    async getImage(uuid, account, signal) {
      const answer = await readSmallJson(await get(`/images/${uuid}`, account, signal));
      return sourceImage(answer, { source: name, uuid, neverPublic: account !== undefined });
    },
    getIcon: (uuid, account, signal) =>
      sourceIcon(() => get(`/images/${uuid}/icon`, account, signal), service.config.limits.iconBytes),
    async getFile(uuid, request) {
      const path = `/images/${uuid}/file${query({ account: request.account, channel })}`;
      // An older IMGAPI compares If-Match with the wrong tag, and would answer 412 to every file.
      const range = { start: request.start };
      const found = await download(transport, { path, headers: HEADERS, signal: request.signal }, range);
      return sourceFile(found, request);
    },
    createPullUrl: async () => undefined,
    endPull: async () => {},
    getPullUrl: async () => {
      throw new SourceInvalidError(`${name} gives no pull URLs`);
    },
    storeIdentity: async () => undefined,
  };
}
