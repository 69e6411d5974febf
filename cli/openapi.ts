// npm run openapi: writes docs/openapi.json as the gateway serves it. 0 it is as it should be, 1 it would break apps and CHANGELOG.md
// does not say so.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { decideUpdate } from './openapi/document-update.ts';
import { readServedDocument } from './openapi/served-document.ts';

const projectDir = dirname(import.meta.dirname);
const file = join(projectDir, 'docs/openapi.json');

const served = await readServedDocument(projectDir);
const committed = existsSync(file) ? readFileSync(file, 'utf8') : null;
const changelog = readFileSync(join(projectDir, 'CHANGELOG.md'), 'utf8');
const { kind, message } = decideUpdate(served, committed, changelog);
if (kind === 'write') writeFileSync(file, served);
process.stdout.write(`${message}\n`);
process.exitCode = kind === 'refuse' ? 1 : 0;
