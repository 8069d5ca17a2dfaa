/**
 * CreateImageFromFile, ActivateImage, and uploads of files that go on where they stopped: IMGAPI's, in the name of the
 * account. Bytes pass through as they arrive.
 */
import type { UPLOADS } from '#lib/api/cloudapi/uploads.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import type { Upload } from '#lib/api/schemas/upload.ts';
import { readJson } from '#lib/client/answer.ts';
import { callOf, LONG_ANSWER } from '#lib/client/methods.ts';
import type { HttpAnswer } from '#lib/client/transport.ts';
import { MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { invalid, notFound } from '../errors.ts';
import { imageReply } from '../reply.ts';
import { taggerOf } from '../role-tags.ts';
import type { Cloudapi } from '../service.ts';
import type { TranslatableImage } from '../translate.ts';

const BROUGHT = [
  'name',
  'version',
  'type',
  'os',
  'description',
  'homepage',
  'eula',
  'acl',
  'tags',
  'origin',
  'requirements',
  'users',
  'generate_passwords',
  'inherited_directories',
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
] as const;

const ANSWER_HEADERS = ['upload-offset', 'upload-length', 'upload-complete', 'cache-control'] as const;
const APPEND_HEADERS = ['content-length', 'upload-offset'] as const;

export function uploadHandlers(cloudapi: Cloudapi): Handlers<typeof UPLOADS, Call> {
  const { imgapi, config } = cloudapi;
  const pathTo = (call: Call, id: string): string =>
    `${basePathOf(config.publicUrl)}/${call.account.login}/images/${id}`;

  return {
    async CreateImageFromFile(call, query) {
      const fields = fieldsOf(call, query);
      const tagNew = await taggerOf(cloudapi, call);
      const create = { ...callOf('CreateImage', []), headers: given(call, ['idempotency-key']) };
      const json = { ...fields, owner: call.account.uuid, public: false };
      const image = (await readJson(await imgapi.send({ ...create, json }, call.onBehalf))) as Image;
      await tagNew(image.uuid);
      return { ...imageReply(call, image), status: 201, headers: { Location: pathTo(call, image.uuid) } };
    },

    async ActivateImage(call) {
      return imageReply(call, await imgapi.activateImage(call.imageId, call.onBehalf));
    },

    async BeginImageUpload(call, { compression, sha1 }) {
      const begin = callOf('BeginImageUpload', [call.imageId], { compression, sha1 });
      const answer = await imgapi.send({ ...begin, headers: given(call, ['upload-length']) }, call.onBehalf);
      const upload = (await readJson(answer)) as Upload;
      const Location = `${pathTo(call, call.imageId)}/uploads/${upload.uuid}`;
      return { status: answer.status, json: upload, headers: { ...kept(answer), Location } };
    },

    async GetImageUpload(call) {
      const answer = await imgapi.send(callOf('GetImageUpload', partsOf(call)), call.onBehalf);
      return { json: await readJson(answer), headers: kept(answer) };
    },

    async AppendImageUpload(call) {
      const append = callOf('AppendImageUpload', partsOf(call));
      // The type as the client has it, also if it names none: IMGAPI refuses the wrong ones.
      const headers = { ...given(call, APPEND_HEADERS), 'content-type': call.headers['content-type'] ?? '' };
      const answer = await imgapi.send(
        { ...append, headers, body: arriving(call) },
        { ...call.onBehalf, answerTimeout: LONG_ANSWER },
      );
      if (answer.status !== 204) {
        return { ...imageReply(call, (await readJson(answer)) as TranslatableImage), headers: kept(answer) };
      }
      answer.body.resume();
      return { status: 204, headers: kept(answer) };
    },

    async CancelImageUpload(call) {
      const [id, upload] = partsOf(call);
      await imgapi.cancelImageUpload(id, upload, call.onBehalf);
      return { status: 204 };
    },
  };
}

/** The body stays open when IMGAPI wants no more of it: a refusal is still answered on its connection. */
async function* arriving(call: Call): AsyncGenerator<Uint8Array, void> {
  yield* call.body.iterator({ destroyOnReturn: false });
}

/** @throws 404 */
function partsOf(call: Call): [image: string, upload: string] {
  const { upload = '' } = call.params;
  if (!isUuid(upload)) throw notFound(upload);
  return [call.imageId, upload];
}

function given({ headers }: Call, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

function kept({ headers }: HttpAnswer): Record<string, string> {
  return Object.fromEntries(
    ANSWER_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}

/** Who sends a whole manifest is told what of it an account cannot say. @throws 409 InvalidArgument */
function fieldsOf(call: Call, query: QueryOf<typeof UPLOADS.CreateImageFromFile>): Record<string, unknown> {
  const { account, parameters } = call;
  const { v, owner, public: isPublic } = query;
  if (v !== undefined && v !== 2 && v !== '2') throw invalid('v', v, '2, or left out');
  if (owner !== undefined && owner !== account.uuid && owner !== account.login) {
    throw invalid('owner', owner, `${account.uuid}, or left out: an account makes images of its own alone`);
  }
  if (isPublic !== undefined && isPublic !== false && isPublic !== 'false') {
    throw invalid('public', isPublic, 'false, or left out: what an account brings is private');
  }
  const stranger = Object.keys(parameters).find(
    (name) => !KNOWN.has(name) && (FIELDS.has(name) || !Object.hasOwn(call.query, name)),
  );
  if (stranger !== undefined) {
    throw invalid(stranger, parameters[stranger], `left out: an account brings ${BROUGHT.join(', ')}`);
  }
  return Object.fromEntries(BROUGHT.flatMap((field) => (query[field] === undefined ? [] : [[field, query[field]]])));
}

const KNOWN: ReadonlySet<string> = new Set([...BROUGHT, 'v', 'owner', 'public', 'action']);
/** Of what is none of these, a query may have anything: the parameters of a signature, or the role of a sub-user. */
const FIELDS: ReadonlySet<string> = new Set(MANIFEST_FIELDS);
