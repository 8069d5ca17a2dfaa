/** `POST /:account/images`: CreateImageFromMachine, ImportImageFromDatacenter, CopyImageFromDc. */
import { NEW_IMAGES } from '#lib/api/cloudapi/new-images.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { callOf } from '#lib/client/methods.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { JSON_LINES, wantsLines } from '../../http-kit/json-lines.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import { actionsOf, assertAllowed } from '../authorize.ts';
import type { Call } from '../call.ts';
import { CloudapiError, invalidAction } from '../errors.ts';
import { readParameters } from '../parameters.ts';
import { imageReply, passedOn } from '../reply.ts';
import { imageResource } from '../resource.ts';
import { type TagNew, taggerOf, tagsOn } from '../role-tags.ts';
import type { Cloudapi } from '../service.ts';
import { waitForCopy } from '../wait-for-copy.ts';

export const newImageDispatch: Dispatch<Call> = {
  before: readParameters,
  async otherwise({ parameters: { action } }) {
    throw invalidAction(action);
  },
};

const MANIFEST_FIELDS = ['description', 'homepage', 'eula', 'acl', 'tags'] as const;

export function newImageHandlers(cloudapi: Cloudapi): Handlers<typeof NEW_IMAGES, Call> {
  const { imgapi, config } = cloudapi;

  /** Before a copy. An image that is here already a sub-user must be allowed to reach as it is. @throws 403 */
  async function copyTagger(call: Call, action: keyof typeof NEW_IMAGES, id: string): Promise<TagNew> {
    const tagNew = await taggerOf(cloudapi, call);
    if (!call.principal.subUser || !(await isHere(call, id))) return tagNew;
    const resource = imageResource(id);
    assertAllowed(
      cloudapi,
      call,
      actionsOf(NEW_IMAGES[action], action),
      resource,
      await tagsOn(cloudapi, call, resource),
    );
    return async () => undefined;
  }

  async function isHere({ onBehalf }: Call, id: string): Promise<boolean> {
    try {
      await imgapi.getImage(id, onBehalf);
      return true;
    } catch (error) {
      if (error instanceof ImgapiError && error.statusCode === 404) return false;
      throw error;
    }
  }

  /**
   * Orders the copy, unless this very image is here as the account's own: `triton image copy` may be repeated.
   * @throws 409 ImageUuidAlreadyExists if what is here is something else
   */
  async function isCopiedAlready({ onBehalf }: Call, { datacenter, id }: Source): Promise<boolean> {
    try {
      await imgapi.importImageFromDatacenter(id, datacenter, onBehalf);
      return false;
    } catch (error) {
      if (!(error instanceof ImgapiError) || error.code !== 'ImageUuidAlreadyExists') throw error;
      // Compares owner and hash with those at the source, and changes nothing.
      const refreshed = await imgapi.copyImageFromDc(id, { ...onBehalf, datacenter, dry_run: true }).catch(() => error);
      if (refreshed === error) throw error;
      return true;
    }
  }

  return {
    async CreateImageFromMachine(call, query) {
      // Each is checked when it is read, so that this is also their order.
      const { machine, name, version, incremental = true } = query;
      const others = MANIFEST_FIELDS.flatMap((field) => (query[field] === undefined ? [] : [[field, query[field]]]));
      const fields = { name, version, ...Object.fromEntries(others) };
      const tagNew = await taggerOf(cloudapi, call);
      const job = await imgapi.createImageFromVm(fields, { vmUuid: machine, incremental }, call.onBehalf);
      await tagNew(job.image_uuid);
      const reply = imageReply(call, { ...fields, uuid: job.image_uuid, state: 'creating' });
      const headers = {
        Location: `${basePathOf(config.publicUrl)}/${call.account.login}/images/${job.image_uuid}`,
        'x-joyent-jobid': job.job_uuid,
      };
      return { ...reply, status: 201, headers };
    },

    /** Replies when the image is here. The copy continues if the client leaves. */
    async ImportImageFromDatacenter(call, query) {
      const { datacenter, id } = sourceOf(query);
      const { onBehalf } = call;
      const tagNew = await copyTagger(call, 'ImportImageFromDatacenter', id);
      if (!(await isCopiedAlready(call, { datacenter, id }))) {
        await tagNew(id);
        await waitForCopy(imgapi, id, onBehalf);
      }
      return imageReply(call, await imgapi.getImage(id, onBehalf));
    },

    /** Replies once the copy is ordered; with `Accept: application/x-json-stream`, the reply follows its progress. */
    async CopyImageFromDc(call, query) {
      const { datacenter, id } = sourceOf(query);
      const { dry_run, do_not_restart, finish_by } = query;
      const asked = {
        datacenter,
        ...(dry_run && { dry_run }),
        ...(do_not_restart && { do_not_restart }),
        ...(finish_by !== undefined && { finish_by }),
      };
      const tagNew = await copyTagger(call, 'CopyImageFromDc', id);
      const tagOrdered = async () => (dry_run || do_not_restart ? undefined : tagNew(id));
      if (!wantsLines(call)) {
        const json = await imgapi.copyImageFromDc(id, { ...call.onBehalf, ...asked });
        await tagOrdered();
        return { json };
      }
      const lines = { ...callOf('CopyImageFromDc', [id], asked), headers: { accept: JSON_LINES } };
      const answer = await imgapi.send(lines, call.onBehalf);
      await tagOrdered();
      return passedOn(answer, ['content-type']);
    },
  };
}

interface Source {
  readonly datacenter: string;
  readonly id: string;
}

/** The datacenter is looked at first. */
function sourceOf({ datacenter, id }: { readonly datacenter: string; readonly id?: unknown }): Source {
  const shown = typeof id === 'string' ? id : JSON.stringify(id);
  if (!isUuid(id)) throw new CloudapiError('InvalidArgument', `id ${shown} must be a UUID`);
  return { datacenter, id };
}
