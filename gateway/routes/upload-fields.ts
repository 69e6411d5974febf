// What the form of POST /files says of its file: its name, and how long it is to be kept.
import type { FastifyRequest } from 'fastify';

import { invalidField, readUploadForm } from '#shared/uploads/upload-form.ts';
import type { UploadFormOptions } from '#shared/uploads/upload-form.ts';

export type UploadFields = { fileName: string | undefined; ttlSecs: number };

const defaultTtlSecs = 3600;
const [ttlSecsMin, ttlSecsMax] = [60, 86_400];

export async function readUploadFields(
  request: FastifyRequest,
  options: Omit<UploadFormOptions, 'fields'>,
): Promise<UploadFields> {
  let ttlSecs = defaultTtlSecs;
  const fields = { ttl_secs: (value: string | null) => void (ttlSecs = readTtl(value)) };
  const { fileName } = await readUploadForm(request, { ...options, fields });
  return { fileName, ttlSecs };
}

function readTtl(value: string | null): number {
  const secs = value !== null && /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (secs >= ttlSecsMin && secs <= ttlSecsMax) return secs;
  throw invalidField('ttl_secs', `must be a whole number from ${ttlSecsMin} to ${ttlSecsMax}`);
}
