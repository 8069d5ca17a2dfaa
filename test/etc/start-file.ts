/** Configuration files of the project as they are, but for the places of the engines, and the process that runs with one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type DocumentServer, documentServer } from '../docs/runner/servers.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** What stands in a file, with what is so in the test. */
export type Places = Readonly<Record<string, string>>;

/** @throws Error if something is to be replaced that is not there */
export function withPlaces(text: string, places: Places): string {
  return Object.entries(places).reduce((changed, [place, own]) => {
    if (!changed.includes(place)) throw new Error(`there is no ${place} in the file`);
    return changed.replaceAll(place, own);
  }, text);
}

export interface FileServer extends DocumentServer {
  /** Where clients reach it. */
  readonly clientUrl: string;
  /** The lines of its log. */
  records(): Record<string, unknown>[];
}

/** Runs the server with the file. @param folder for the file as it is used @param main IMGAPI unless given */
export async function startFile(
  t: Test,
  file: string,
  {
    folder,
    places,
    main = 'src/main.ts',
  }: { readonly folder: string; readonly places: Places; readonly main?: string },
): Promise<FileServer> {
  const config = join(folder, 'imgapi.config.json');
  await writeFile(config, withPlaces(await readFile(file, 'utf8'), places));
  const server = documentServer(t, `node-24 ${main} -f ${config}`, ROOT);
  await server.start();
  return Object.assign(server, {
    clientUrl: server.url.replace('0.0.0.0', '127.0.0.1'),
    records: () => server.log.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : [])),
  });
}
