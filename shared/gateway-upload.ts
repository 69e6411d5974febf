// POST /files: sent once more where the source can be read once more.
import { createGatewayCalls, withKey } from './gateway-calls.ts';
import { checkOf } from './gateway-connection.ts';
import type { GatewayConnection, GatewayRequest } from './gateway-connection.ts';
import { UploadAnswer } from './gateway-file-api.ts';
import { createUploadForm } from './gateway-upload-form.ts';
import type { UploadFields, UploadSource } from './gateway-upload-form.ts';
import { newId } from './ids.ts';
import type { Patience } from './retry-patience.ts';

export type UploadOptions = UploadFields & {
  signal?: AbortSignal | undefined;
  idempotencyKey?: string | null | undefined;
};

/** The gateway takes as long for the whole of a request. */
const silenceMs = 60_000;
const checkUpload = checkOf(UploadAnswer);

/** Throws GatewayError, or what the source failed with. */
export function uploadFile(
  { connection, newPatience }: { connection: GatewayConnection; newPatience: () => Patience },
  source: UploadSource,
  { signal, idempotencyKey, ...fields }: UploadOptions,
): Promise<UploadAnswer> {
  const form = createUploadForm(source, fields);
  const { headers, body, isRepeatable } = form;
  const request: GatewayRequest = {
    ...{ method: 'POST', path: '/files', headers, body, silenceMs, signal },
  };
  const key = idempotencyKey === undefined ? newId('key') : idempotencyKey;
  const ask: GatewayConnection['ask'] = async (attempt, check) =>
    connection.ask(attempt, check).catch((err: unknown) => {
      throw form.fault()?.err ?? err;
    });
  if (key === null || !isRepeatable) {
    return ask(key === null ? request : withKey(request, key), checkUpload);
  }
  return createGatewayCalls({ ask }, newPatience).start(request, checkUpload, key);
}
