/** Everything the service keeps in its document store. A part that needs a bucket of its own adds it here. */
import type { Bucket } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import { CONSOLE_LOGINS } from './console/logins.ts';
import { COPY_BUCKETS } from './copies/documents/model.ts';
import { FAN_OUTS } from './copies/fan-out/model.ts';
import { BOOKINGS } from './copies/orders/booking.ts';
import { WEBHOOK_BUCKETS } from './copies/webhooks/outbox.ts';
import { LINK_BUCKETS } from './datacenters/links/documents.ts';
import { CLONES } from './images/cloning/clone-journal.ts';
import { CLONED } from './images/cloning/cloned.ts';
import { EVENTS } from './images/events/event.ts';
import { ARCHIVED } from './images/files/archive.ts';
import { FILE_HASHES } from './images/files/file-hashes.ts';
import { FINDINGS } from './images/files/findings.ts';
import { FORMER_OBJECTS } from './images/files/former-objects.ts';
import { LATE_MD5S } from './images/files/late-md5.ts';
import { PIECE_LISTS } from './images/files/piece-lists.ts';
import { TO_ARCHIVE } from './images/files/to-archive.ts';
import { UPLOADS } from './images/files/upload-register.ts';
import { MOVES } from './images/moving/move-note.ts';
import { QUOTAS } from './images/quotas/quota.ts';
import { ROLE_TAGS } from './images/role-tags.ts';
import { SHARE_SETTINGS } from './images/sharing/acceptance.ts';
import { PENDING_SHARES } from './images/sharing/shares.ts';
import { UPLOAD_SESSIONS } from './images/uploads/model.ts';
import { AUTH_RELOADS } from './imgapi/auth-keys.ts';
import { IMAGE_JOBS } from './machines/model.ts';
import { SCRUBS } from './maintenance/scrub/state.ts';
import { TASKS } from './maintenance/tasks/task.ts';
import { MIGRATIONS } from './migrations/orders.ts';
import { PULL_BUCKETS } from './pulls/documents.ts';
import { HOME } from './service/config/home.ts';
import { ARRIVALS } from './service/engines/arrivals.ts';
import { STORES } from './service/engines/store-identities.ts';
import { IMPORTED } from './takeover/images/notes.ts';

export const BUCKETS: readonly Bucket[] = [
  IMAGES,
  UPLOADS,
  UPLOAD_SESSIONS,
  PIECE_LISTS,
  FILE_HASHES,
  LATE_MD5S,
  FORMER_OBJECTS,
  MOVES,
  PENDING_SHARES,
  SHARE_SETTINGS,
  ARCHIVED,
  TO_ARCHIVE,
  CLONES,
  CLONED,
  TASKS,
  AUTH_RELOADS,
  STAGED_SESSIONS,
  STORES,
  HOME,
  ARRIVALS,
  MIGRATIONS,
  ROLE_TAGS,
  IMPORTED,
  IMAGE_JOBS,
  FINDINGS,
  QUOTAS,
  SCRUBS,
  EVENTS,
  CONSOLE_LOGINS,
  ...COPY_BUCKETS,
  BOOKINGS,
  FAN_OUTS,
  ...WEBHOOK_BUCKETS,
  ...LINK_BUCKETS,
  ...PULL_BUCKETS,
];
