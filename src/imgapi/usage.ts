/** Puts together who uses an image: each part judges by itself what the caller may see. */
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { holdersOf } from '../copies/holders.ts';
import { derivedImages } from '../images/derived.ts';
import { mayChange, type Viewer } from '../images/record/access.ts';
import { shownState } from '../images/record/serialize.ts';
import { instancesOf } from '../machines/instances.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';

/** @param record an image that the viewer sees */
export async function usageOf(
  service: Service,
  call: Call,
  {
    record,
    viewer,
    channel,
  }: { readonly record: ImageRecord; readonly viewer: Viewer; readonly channel: string | undefined },
): Promise<ImageUsage> {
  const { uuid } = record;
  const { account, requestId, signal } = call;
  const [derived, datacenters, instances] = await Promise.all([
    derivedImages(service, viewer, { uuid, channel, signal }),
    !viewer.anonymous && mayChange(record, viewer) ? holdersOf(service, record, { account, signal }) : undefined,
    viewer.anonymous ? undefined : instancesOf(service, { image: uuid, account, requestId, signal }),
  ]);
  return {
    uuid,
    derived: {
      count: derived.images.length,
      complete: derived.isComplete,
      images: derived.images.map(derivedImage),
    },
    ...(datacenters && { datacenters }),
    ...(instances && { instances }),
  };
}

function derivedImage(record: ImageRecord): ImageUsage['derived']['images'][number] {
  const { uuid, name, version, owner, origin = '' } = record;
  return { uuid, name, version, ...(owner !== undefined && { owner }), state: shownState(record, 3), origin };
}
