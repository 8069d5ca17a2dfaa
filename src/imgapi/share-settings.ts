/** What requests about the settings of shares name, and how the settings are shown. */
import { ACCEPTANCES, type Acceptance } from '#lib/api/acceptance.ts';
import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ShareSettings } from '#lib/api/schemas/share-settings.ts';
import { aclEntriesProblem } from '#lib/manifest/acl-entry.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { pathOf } from '../http-kit/request-head.ts';
import type { ShareSettings as Settings, SettingsChange } from '../images/sharing/acceptance.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';

/** The account in the path. What others have is not there for an account. @throws 404 */
export function settingsOf(call: Call): string {
  const { uuid } = call.params;
  if (isUuid(uuid) && (call.account === undefined || call.account === uuid)) return uuid;
  throw new ApiError('ResourceNotFound', `${pathOf(call.url)} does not exist`);
}

const WANTED = '"acceptance" and "trusted"';

/** @throws 422 ValidationFailed */
export function readSettings({ accounts }: Pick<Service, 'accounts'>, body: unknown): SettingsChange {
  if (!isObject(body)) throw validationFailed('body', `the body must be a JSON object with ${WANTED}`);
  const unknown = Object.keys(body).find((field) => field !== 'acceptance' && field !== 'trusted');
  if (unknown !== undefined) throw validationFailed(unknown, `${shown(unknown)} is no setting; there are ${WANTED}`);
  const { acceptance, trusted } = body;
  if (acceptance === undefined && trusted === undefined) {
    throw validationFailed('body', `the body names no setting; there are ${WANTED}`, 'MissingParameter');
  }
  const problem = trusted === undefined ? undefined : aclEntriesProblem(trusted, accounts !== undefined);
  if (problem) throw validationFailed('trusted', `trusted ${problem}`);
  return {
    ...(acceptance !== undefined && { acceptance: readAcceptance(acceptance) }),
    ...(trusted !== undefined && { trusted: trusted as string[] }),
  };
}

function readAcceptance(value: unknown): Acceptance | null {
  const known = ACCEPTANCES.find((one) => one === value);
  if (known !== undefined || value === null) return known ?? null;
  const choices = ACCEPTANCES.map((one) => `"${one}"`).join(', ');
  throw validationFailed('acceptance', `acceptance is ${shown(value)}; it must be one of ${choices}, or null`);
}

export function shownSettings(account: string, { acceptance, isOwn: own, trusted }: Settings): ShareSettings {
  return { account, acceptance, own, trusted: [...trusted] };
}
