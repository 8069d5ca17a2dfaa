/** AddImageIcon, GetImageIcon, DeleteImageIcon. */
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { deleteIcon, noIcon } from '../../images/files/file-placement.ts';
import { addIcon, readIconType } from '../../images/files/icons.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { fileReply } from '../file-reply.ts';
import { changeRequest, imageReply, readableImage, writableImage } from '../image-call.ts';
import { announcedBy } from './files.ts';

export function iconRoutes(service: Service): Route[] {
  async function add(call: Call): Promise<Reply> {
    const { value: record } = await writableImage(service, call);
    const type = readIconType(call.headers['content-type']);
    const request = changeRequest(service, call);
    const stored = await addIcon(service, request, record, type, announcedBy(call), () => call.body, call.signal);
    return imageReply(service, call, stored);
  }

  async function get(call: Call): Promise<Reply> {
    const { value: record } = await readableImage(service, call);
    const { icon, uuid } = record;
    if (!icon) throw noIcon(uuid);
    return fileReply(call, {
      storage: service.storages.named(icon.stor),
      path: imageObjectPath(uuid, 'icon'),
      size: icon.size,
      sha1: icon.sha1,
      md5: icon.contentMD5,
      mtime: icon.mtime,
      contentType: icon.contentType,
    });
  }

  async function remove(call: Call): Promise<Reply> {
    await writableImage(service, call);
    return imageReply(service, call, await deleteIcon(service, changeRequest(service, call)));
  }

  const path = '/images/:uuid/icon';
  return [
    { name: 'AddImageIcon', method: 'PUT', path, auth: 'strict', handler: add },
    // The IMGAPI docs once called it a POST.
    { name: 'PostImageIcon', method: 'POST', path, auth: 'strict', handler: add },
    { name: 'GetImageIcon', method: 'GET', path, auth: 'passive', handler: get },
    { name: 'DeleteImageIcon', method: 'DELETE', path, auth: 'strict', handler: remove },
  ];
}
