/**
 * Where objects lie, below the root of the store. The image paths are those of today's IMGAPI, so that one store can be
 * read by both.
 */

export type ImageObjectName = `file${number}` | 'icon';

/** The pulls area: links to files under names of their own, one directory a day, for the reaper. */
export const PULLS = 'pulls';

/** Names under which writers link bytes that are there already, one for each session, until they are placed. */
export const BYTE_LINKS = 'copies';

/** The name of the linked bytes of a session. */
export function linkedBytesPath(session: string): string {
  return `${BYTE_LINKS}/${session}`;
}

/** Damaged bytes that are kept aside, one directory a day. */
export const QUARANTINE = 'quarantine';

/** Which of an image's objects: a file by its index, or the icon. */
export type Which = number | 'icon';

export function objectName(which: Which): ImageObjectName {
  return which === 'icon' ? 'icon' : `file${which}`;
}

/** Image files and the icon: `images/UUI/UUID/file0`. */
export function imageObjectPath(uuid: string, name: ImageObjectName): string {
  return `${imageObjectDirectory(uuid)}/${name}`;
}

/** The directory of all objects of one image. */
export function imageObjectDirectory(uuid: string): string {
  return `images/${uuid.slice(0, 3)}/${uuid}`;
}

/** The day of a moment in UTC, `YYYYMMDD`. */
export function pullsDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10).replaceAll('-', '');
}

/** The directory of the pull links of one day. */
export function pullsDirectory(day: string): string {
  return `${PULLS}/${day}`;
}

/** A pull link: `pulls/YYYYMMDD/UUID.file0.REQID`. */
export function pullObjectPath(day: string, uuid: string, fileIndex: number, requestId: string): string {
  return `${pullsDirectory(day)}/${uuid}.file${fileIndex}.${requestId}`;
}

/** The archived manifest of an image. */
export function archivePath(uuid: string): string {
  return `archive/${uuid.slice(0, 3)}/${uuid}.json`;
}

/** Damaged bytes: `quarantine/YYYYMMDD/UUID.file0.ID`. */
export function quarantinePath(day: string, uuid: string, name: ImageObjectName, id: string): string {
  return `${QUARANTINE}/${day}/${uuid}.${name}.${id}`;
}
