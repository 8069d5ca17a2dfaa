import { checkBucket, S3SettingError } from '#lib/objects/s3/check.ts';
import { openS3Store } from '#lib/objects/s3/store.ts';
import { documentRegister } from '#lib/objects/staging/document-register.ts';
import { ConfigError } from '../config/config-error.ts';
import { s3SettingsOf } from '../config/s3.ts';
import type { ObjectEngine } from './opening.ts';

const NAME = 's3';

export const openS3: ObjectEngine = async ({ config, observe, documents }) => {
  const settings = await s3SettingsOf(config);
  await checkBucket(settings).catch(refuse);
  return openS3Store({
    settings,
    name: NAME,
    register: documentRegister(documents, NAME),
    clock: documents,
    ...(observe && { observer: observe(NAME) }),
  });
};

/** What no waiting mends is a matter of the configuration. */
function refuse(error: unknown): never {
  if (!(error instanceof S3SettingError)) throw error;
  const { setting, message } = error;
  const key = setting === 'clock' ? 'the clock' : `s3.${setting}`;
  throw new ConfigError('configuration', [`${key}: ${message}`], { cause: error });
}
