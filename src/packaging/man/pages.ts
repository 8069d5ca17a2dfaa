/** All manual pages of the package. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { imgapiadm } from '../../cli/imgapiadm/program.ts';
import { tritonImage } from '../../cli/triton-image/program.ts';
import { programPage } from './program-page.ts';
import { serverPage } from './server-page.ts';

/** By path below `share/man`. */
export function manualPages(version: string, date: Date): Readonly<Record<string, string>> {
  return {
    'man8/imgapi.8': serverPage({
      ...{ name: 'imgapi', summary: "Triton's Image API, a server", version, date, needsConfig: false },
      configFile: '/etc/imgapi/imgapi.config.json',
      documents: ['index.md', 'operator-guide.md'],
      seeAlso: ['imgapi-cloudapi 8', 'imgapiadm 8'],
    }),
    'man8/imgapi-cloudapi.8': serverPage({
      ...{ name: 'imgapi-cloudapi', summary: 'the image part of CloudAPI, a server', version, date, needsConfig: true },
      configFile: '/etc/imgapi/cloudapi.config.json',
      documents: ['accounts.md', 'operator-guide.md'],
      seeAlso: ['triton-image 1', 'imgapi 8'],
    }),
    'man8/imgapiadm.8': programPage(imgapiadm, { section: 8, date, seeAlso: ['imgapi 8'] }),
    'man1/triton-image.1': programPage(tritonImage, { section: 1, date, seeAlso: ['imgapi-cloudapi 8'] }),
  };
}

/** @returns their paths below `root` */
export async function writeManualPages(root: string, version: string, date: Date): Promise<string[]> {
  const pages = Object.entries(manualPages(version, date)).map(
    ([path, text]) => [join('share/man', path), text] as const,
  );
  for (const [path, text] of pages) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return pages.map(([path]) => path);
}
