/** Images made from something else than a manifest. What cannot be done here is refused by name, after all other checks. */
import { ApiError, type FieldError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { MADE_IMAGES } from '#lib/api/imgapi/made-images.ts';
import type { JobRunner } from '#lib/documents/job-runner.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { parseJsonText } from '#lib/text/json.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import type { ImageJob } from '../../machines/model.ts';
import { orderImageFromVm } from '../../machines/order-image.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';
import { isDockerReference } from '../docker-reference.ts';
import { channelOf, writableImage } from '../image-call.ts';
import { jobReply } from '../job-reply.ts';
import { assertNoIdentityToken } from '../registry-credentials.ts';

export function madeImageHandlers(
  service: Service,
  maker: Pick<JobRunner<ImageJob>, 'nudge'>,
): Handlers<typeof MADE_IMAGES, Call> {
  return {
    async CreateImageFromVm(call, query) {
      const { vm_uuid: vm } = query;
      if (vm === undefined) {
        throw validationFailed('vm_uuid', 'name the machine to create the image from', 'MissingParameter');
      }
      const { incremental = false, max_origin_depth: maxOriginDepth } = query;
      const { signal, requestId } = call;
      const body = await call.json();
      const channel = channelOf(service, call, 'write');
      const request = { vm, incremental, maxOriginDepth, body, account: call.account, channel, signal, requestId };
      const job = await orderImageFromVm(service, request);
      maker.nudge();
      call.log.info({ image: job.image, vm, job: job.uuid, req_id: requestId }, 'image from a machine ordered');
      await service.faults.reach('from-vm:recorded');
      return jobReply(service, call, job);
    },

    async AdminImportDockerImage(call, query) {
      assertOperator(call, 'import-docker-image');
      const { repo, tag = '', digest = '' } = query;
      const problems: FieldError[] = [];
      if (repo === undefined) problems.push(missing('repo', 'name the repository'));
      if (tag === '' && digest === '') problems.push(missing('tag', 'name a tag or a digest'));
      if (tag !== '' && digest !== '') {
        problems.push({ field: 'digest', code: 'Invalid', message: 'name either a tag or a digest' });
      }
      if (problems.length > 0) {
        const message = problems.map((problem) => `${problem.field}: ${problem.message}`).join('; ');
        throw new ApiError('ValidationFailed', message, { errors: problems });
      }
      const reference = `${repo}${tag === '' ? `@${digest}` : `:${tag}`}`;
      assertReference('repo', reference);
      assertNoIdentityToken(call, registryOf(reference));
      // Parameters are checked when they are read.
      void query.public;
      throw notAvailable('import-docker-image', 'nothing is fetched from Docker registries');
    },

    async AdminImportLxdImage(call, { alias }) {
      assertOperator(call, 'import-lxd-image');
      if (alias === undefined || alias === '') {
        throw validationFailed('alias', 'name the image, as REGISTRY:IMAGE', 'MissingParameter');
      }
      if (typeof alias !== 'string' || !alias.includes(':')) {
        const message = `alias is ${JSON.stringify(alias)}; it must be REGISTRY:IMAGE`;
        throw invalidParameter('alias', message, 'InvalidParameter');
      }
      throw notAvailable('import-lxd-image', "nothing is fetched from LXD's registries");
    },

    async AdminPushDockerImage(call, query) {
      const { value: record } = await writableImage(service, call);
      if (record.type !== 'docker') {
        throw validationFailed('type', `the image is of type "${record.type}"; only those of type "docker" are pushed`);
      }
      assertReference('repoAndTag', query.repoAndTag);
      assertPushedManifest(await call.json());
      assertNoIdentityToken(call);
      throw notAvailable('push', 'nothing is sent to Docker registries');
    },
  };
}

export function makingDispatch(service: Service): Dispatch<Call> {
  return {
    before: (call) => void channelOf(service, call, 'write'),
    async otherwise(call, actions) {
      const names = actions.join(', ');
      const { action } = call.query;
      throw invalidParameter(
        'action',
        `action is ${JSON.stringify(action)}; POST /images takes none, or one of ${names}`,
      );
    },
  };
}

function assertOperator(call: Call, action: string): void {
  if (call.query['account'] === undefined) return;
  throw new ApiError('OperatorOnly', `action "${action}" is for operators; leave out the account parameter`);
}

function notAvailable(action: string, why: string): ApiError {
  return new ApiError('NotAvailable', `"${action}" is not available here: ${why}`);
}

function missing(field: string, message: string): FieldError {
  return { field, code: 'MissingParameter', message };
}

function assertReference(field: string, reference: string): void {
  if (isDockerReference(reference)) return;
  throw validationFailed(field, `"${reference}" is not a reference to a Docker image, such as library/busybox:latest`);
}

/** Docker's own, unless the first part of a reference can only be a host. */
function registryOf(reference: string): string {
  const [first = '', ...more] = reference.split('/');
  const isHost = more.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost && first !== 'index.docker.io' ? first : 'docker.io';
}

function assertPushedManifest(body: unknown): void {
  const text = isObject(body) ? body['manifest_str'] : undefined;
  if (text === undefined) throw validationFailed('manifest_str', 'the body has no manifest_str', 'MissingParameter');
  try {
    if (typeof text === 'string' && isObject(parseJsonText(text))) return;
  } catch {
    // Told below.
  }
  throw validationFailed('manifest_str', 'manifest_str must be the text of a JSON object');
}
