// Where a service takes uploads: forms and nothing else.
import { fastifyMultipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

import { requestError } from '../errors.ts';
import type { HttpApp } from '../http-server.ts';
import { tooLarge } from './incoming-file.ts';

/** For a scope of its own, before its routes. Gives what stops their uploads when the service stops. */
export async function acceptForms(app: HttpApp): Promise<AbortSignal> {
  app.removeAllContentTypeParsers();
  await app.register(fastifyMultipart, { throwFileSizeLimit: false });
  app.addContentTypeParser('*', (_request, _body, done) => done(notAForm()));
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort(requestError('draining', 'the service is stopping: ask again soon'));
    done();
  });
  return closing.signal;
}

/** A form is a little longer than its file. */
const formBytes = 2 ** 20;

/** Throws for what its headers show to be no form, or too large. */
export function requireForm(request: FastifyRequest, fileBytesMax: number): void {
  const { headers } = request;
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (!request.isMultipart() || encoding !== 'identity') throw notAForm();
  if (Number(headers['content-length'] ?? 0) > fileBytesMax + formBytes) {
    throw tooLarge(fileBytesMax);
  }
}

function notAForm(): Error {
  const message = 'send the file as the field `file` of a multipart/form-data form, not compressed';
  return requestError('unsupported_media_type', message);
}
