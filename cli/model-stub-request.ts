// What the model stub saw of one request, and how to read it.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export type StubRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The parsed JSON, or null when the body is empty or no JSON. */
  body: Record<string, unknown> | null;
  rawBody: Buffer;
  bodyBytes: number;
  bodySha256: string;
  /** Resolves when the exchange is over; `aborted` when the client left before the answer was whole. */
  closed: Promise<'answered' | 'aborted'>;
};

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

export function describeRequest(
  incoming: IncomingMessage,
  raw: Buffer,
  closed: StubRequest['closed'],
): StubRequest {
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body: parseBody(raw),
    rawBody: raw,
    bodyBytes: raw.length,
    bodySha256: createHash('sha256').update(raw).digest('hex'),
    closed,
  };
}

function parseBody(raw: Buffer): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(raw.toString('utf8'));
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

// For older models the CLI puts this block before the prompt, in the user message.
const environmentBlock = '<system-reminder>\n# Environment';

/** The text blocks of the last user message, joined without a separator; not the CLI's own block about its environment. */
export function userText(request: StubRequest): string {
  const messages = request.body?.['messages'];
  if (!Array.isArray(messages)) return '';
  const last: unknown = messages.findLast(
    (message) => isRecord(message) && message['role'] === 'user',
  );
  if (!isRecord(last)) return '';
  const [first = '', ...rest] = blockText(last['content']);
  return (first.startsWith(environmentBlock) ? rest : [first, ...rest]).join('');
}

/** The system blocks, joined by a blank line; the CLI puts its billing and identity lines before ours. */
export function systemText(request: StubRequest): string {
  return blockText(request.body?.['system']).join('\n\n');
}

export function modelOf(request: StubRequest): string {
  const model = request.body?.['model'];
  return typeof model === 'string' ? model : 'unknown';
}

/** The input schema of a tool offered in the request, or undefined when it is not offered. */
export function toolSchema(request: StubRequest, name: string): unknown {
  const tools = request.body?.['tools'];
  if (!Array.isArray(tools)) return undefined;
  const tool: unknown = tools.find(
    (candidate) => isRecord(candidate) && candidate['name'] === name,
  );
  return isRecord(tool) ? tool['input_schema'] : undefined;
}

function blockText(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown) =>
    isRecord(block) && block['type'] === 'text' && typeof block['text'] === 'string'
      ? [block['text']]
      : [],
  );
}
