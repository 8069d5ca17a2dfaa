/** All operations of CloudAPI's image part. */
import { ACCOUNT } from './account.ts';
import { ACTIONS } from './actions.ts';
import { ADMIN } from './admin.ts';
import { COPIES } from './copies.ts';
import { DELETED } from './deleted.ts';
import { EVENTS } from './events.ts';
import type { CloudapiOperations } from './form.ts';
import { IMAGES } from './images.ts';
import { NEW_IMAGES } from './new-images.ts';
import { ROLE_TAGS } from './role-tags.ts';
import { SERVICE } from './service.ts';
import { SHARE_SETTINGS } from './share-settings.ts';
import { UPLOADS } from './uploads.ts';

export const CLOUDAPI = {
  ...SERVICE,
  ...ACCOUNT,
  ...IMAGES,
  ...NEW_IMAGES,
  ...ACTIONS,
  ...UPLOADS,
  ...DELETED,
  ...SHARE_SETTINGS,
  ...COPIES,
  ...EVENTS,
  ...ADMIN,
  ...ROLE_TAGS,
} as const satisfies CloudapiOperations;
