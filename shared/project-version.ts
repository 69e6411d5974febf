// All services are of one version: that of package.json.
import { readFile } from 'node:fs/promises';

export async function readProjectVersion(): Promise<string> {
  const manifest = new URL('../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(await readFile(manifest, 'utf8'));
  return version;
}
