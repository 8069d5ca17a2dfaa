/** AddImageIcon, GetImageIcon, DeleteImageIcon. */
import type { ICONS } from '#lib/api/imgapi/icons.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { deleteIcon, noIcon } from '../../images/files/file-placement.ts';
import { assertNotQuarantined } from '../../images/files/findings.ts';
import { followingMoves } from '../../images/files/following-moves.ts';
import { openingIcon } from '../../images/files/icon-as-recorded.ts';
import { addIcon, readIconType } from '../../images/files/icons.ts';
import { assertNotPlaceholder } from '../../images/record/access.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { fileReply } from '../file-reply.ts';
import { changeRequest, imageReply, readableImage, writableImage } from '../image-call.ts';
import { announcedBy } from './files.ts';

export function iconHandlers(service: Service): Handlers<typeof ICONS, Call> {
  async function add(call: Call, query: QueryOf<typeof ICONS.AddImageIcon>): Promise<Reply> {
    const { value: record } = await writableImage(service, call);
    const contentType = readIconType(call.headers['content-type']);
    assertNotPlaceholder(record);
    const storage = service.storages.forIcon(record, { storage: query.storage, account: call.account });
    const icon = { contentType, storage, announced: announcedBy(call, query) };
    const request = changeRequest(service, call);
    return imageReply(service, call, await addIcon(service, request, icon, () => call.body, call.signal));
  }

  return {
    AddImageIcon: add,
    PostImageIcon: add,

    async GetImageIcon(call) {
      const open = (record: ImageRecord): Promise<Reply> => {
        const { icon, uuid } = record;
        if (!icon) throw noIcon(uuid);
        assertNotQuarantined(record, 'icon');
        return fileReply(call, {
          storage: service.storages.named(icon.stor),
          path: imageObjectPath(uuid, 'icon'),
          size: icon.size,
          sha1: icon.sha1,
          md5: icon.contentMD5,
          mtime: icon.mtime,
          contentType: icon.contentType,
        });
      };
      const { value } = await readableImage(service, call);
      return openingIcon(service, value, (record) => followingMoves(service, record, async (now) => open(now)));
    },

    async DeleteImageIcon(call) {
      await writableImage(service, call);
      return imageReply(service, call, await deleteIcon(service, changeRequest(service, call)));
    },
  };
}
