/** All schemas by name, for documents. */
import type { TSchema } from 'typebox';
import * as acl from './acl.ts';
import * as console from './console.ts';
import * as copy from './copy.ts';
import * as datacenter from './datacenter.ts';
import * as deletedImage from './deleted-image.ts';
import * as error from './error.ts';
import * as event from './event.ts';
import * as image from './image.ts';
import * as job from './job.ts';
import * as link from './link.ts';
import * as maintenance from './maintenance.ts';
import * as pullUrl from './pull-url.ts';
import * as quota from './quota.ts';
import * as registry from './registry.ts';
import * as roleTags from './role-tags.ts';
import * as service from './service.ts';
import * as usage from './usage.ts';
import * as webhook from './webhook.ts';

const EXPORTS: Readonly<Record<string, unknown>> = {
  ...acl,
  ...console,
  ...copy,
  ...datacenter,
  ...deletedImage,
  ...error,
  ...event,
  ...image,
  ...job,
  ...link,
  ...maintenance,
  ...pullUrl,
  ...quota,
  ...registry,
  ...roleTags,
  ...service,
  ...usage,
  ...webhook,
};

export const SCHEMAS: Readonly<Record<string, TSchema>> = Object.fromEntries(
  Object.entries(EXPORTS).filter((entry): entry is [string, TSchema] => isSchema(entry[1])),
);

function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && '~kind' in value;
}
