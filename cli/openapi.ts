// npm run openapi: writes the API documents of docs/ as the services serve them. 0 all are as they should be, 1 one would break apps and
// CHANGELOG.md does not say so.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { committedDocuments } from './openapi/committed-documents.ts';
import { decideUpdate } from './openapi/document-update.ts';

const projectDir = dirname(import.meta.dirname);
const changelog = readFileSync(join(projectDir, 'CHANGELOG.md'), 'utf8');

for (const document of committedDocuments) {
  const path = join(projectDir, document.file);
  const served = await document.readServed(projectDir);
  const committed = existsSync(path) ? readFileSync(path, 'utf8') : null;
  const { kind, message } = decideUpdate(served, committed, changelog, document);
  if (kind === 'write') writeFileSync(path, served);
  if (kind === 'refuse') process.exitCode = 1;
  process.stdout.write(`${message}\n`);
}
