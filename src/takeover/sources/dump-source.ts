/**
 * A dump of Moray's bucket of images, as `findobjects` prints it: an object a line (`-H`), or an object in several lines. An
 * object is Moray's, with `key` and `value`, or a record alone.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { isUuid } from '#lib/text/uuid.ts';
import { type DataSource, type Fields, type Listed, UnreadableError, type WantedBytes } from './data-source.ts';
import { type DumpedText, dumpedTexts } from './dumped-texts.ts';
import { ImageFiles } from './image-files.ts';
import { LARGEST_RECORD, listedRecord, parseRecord } from './read-record.ts';

const BUCKET = 'imgapi_images';
const SPACE = 0x20;
const COMMA = 0x2c;

/** @param files the folder that holds `images`, for files that were local */
export async function dumpSource(path: string, files?: string): Promise<DataSource> {
  const handle = await open(path, 'r');
  const places = new Map<string, DumpedText>();
  const images = new ImageFiles(files);
  return {
    name: path,
    form: 'stored',
    keyFolders: [],
    list: () => listDump(handle, places),
    async read(uuid) {
      const place = places.get(uuid);
      if (!place) throw new UnreadableError(`there is no record of ${uuid}`);
      return recordIn(parseRecord(await readText(handle, place)));
    },
    bytes: (wanted: WantedBytes) => images.find(wanted),
    close: () => handle.close(),
  };
}

async function* listDump(handle: FileHandle, places: Map<string, DumpedText>): AsyncGenerator<Listed> {
  let objects = 0;
  let counted = 0;
  for await (const text of dumpedTexts(handle)) {
    const where = `line ${text.line}`;
    objects += 1;
    if (text.length > LARGEST_RECORD) {
      yield { where, problem: `it has ${text.length} bytes, more than any record` };
      continue;
    }
    const bytes = await readText(handle, text);
    let count: unknown;
    const listed = listedRecord(where, () => {
      const object = parseRecord(bytes);
      count = object['_count'];
      return recordIn(object);
    });
    if (typeof count === 'number') counted = Math.max(counted, count);
    const { uuid } = listed;
    const before = uuid === undefined ? undefined : places.get(uuid);
    if (before) yield { where, problem: `it is a second record of ${uuid}, as is that in line ${before.line}` };
    else {
      if (uuid !== undefined && listed.problem === undefined) places.set(uuid, text);
      yield listed;
    }
  }
  // findobjects gives a thousand objects unless it is told otherwise, and says so nowhere else.
  if (counted > objects) {
    yield {
      where: 'the end',
      problem: `only ${objects} of ${counted} objects are in the dump: findobjects -l ${counted}`,
    };
  }
}

/** @throws UnreadableError */
function recordIn(object: Fields): Fields {
  const { bucket, key, value } = object;
  if (value === undefined || isUuid(object['uuid'])) return object;
  if (bucket !== undefined && bucket !== BUCKET) {
    throw new UnreadableError(`it is from the bucket ${JSON.stringify(bucket)}, not from "${BUCKET}"`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableError('its value is no object');
  }
  const record = value as Fields;
  if (key !== undefined && record['uuid'] !== key) {
    throw new UnreadableError(`its key is ${JSON.stringify(key)}, but its uuid ${JSON.stringify(record['uuid'])}`);
  }
  return record;
}

async function readText(handle: FileHandle, { offset, length }: DumpedText): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, offset);
  const text = bytes.subarray(0, bytesRead);
  const end = text.findLastIndex((byte) => byte > SPACE);
  return text.subarray(0, text[end] === COMMA ? end : end + 1);
}
