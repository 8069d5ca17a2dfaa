/** All operations of IMGAPI's main port. Those of the link listener are in `links.ts`. */
import { ACTIONS } from './actions.ts';
import { ADMIN } from './admin.ts';
import { CONSOLE } from './console.ts';
import { COPIES } from './copies.ts';
import { DATACENTERS } from './datacenters.ts';
import { DELETED } from './deleted.ts';
import { EVENTS } from './events.ts';
import { FAN_OUTS } from './fan-outs.ts';
import { FILES } from './files.ts';
import type { ImgapiOperations } from './form.ts';
import { ICONS } from './icons.ts';
import { IMAGES } from './images.ts';
import { MADE_IMAGES } from './made-images.ts';
import { PULLS } from './pulls.ts';
import { QUOTAS } from './quotas.ts';
import { ROLE_TAGS } from './role-tags.ts';
import { SERVICE } from './service.ts';
import { SHARING } from './sharing.ts';
import { UPLOADS } from './uploads.ts';
import { WEBHOOKS } from './webhooks.ts';

export const IMGAPI = {
  ...IMAGES,
  ...MADE_IMAGES,
  ...FILES,
  ...UPLOADS,
  ...ICONS,
  // What is said of an unknown action names all that there are, in this order.
  ...COPIES,
  ...FAN_OUTS,
  ...ACTIONS,
  ...DELETED,
  ...SHARING,
  ...PULLS,
  ...EVENTS,
  ...ROLE_TAGS,
  ...QUOTAS,
  ...DATACENTERS,
  ...ADMIN,
  ...WEBHOOKS,
  ...SERVICE,
  ...CONSOLE,
} as const satisfies ImgapiOperations;
