// The message a run asks with: its files, then the prompt. Made piece by piece, since files are too large to be one text.
export type ClaudeAttachment = {
  name: string;
  /** One that the API knows as an image or a document. */
  mediaType: string;
  /** The bytes from the start, cut anywhere; each piece is good until the next one is asked for. */
  chunks: () => AsyncIterable<Buffer>;
};

/** Pieces of JSON that are one line together. The two Unicode line separators end a line for some readers. */
export async function* userMessage(
  prompt: string,
  attachments: readonly ClaudeAttachment[],
): AsyncGenerator<string> {
  const [head = '', tail = ''] = userLine(placeholder).split(JSON.stringify(placeholder));
  yield `${head}[`;
  for (const attachment of attachments) yield* block(attachment);
  yield `${jsonText({ type: 'text', text: prompt })}]${tail}`;
}

export function userLine(content: string): string {
  const message = {
    type: 'user',
    message: { role: 'user', content },
    parent_tool_use_id: null,
    // Literal text: no @path is read, no /command is run.
    client_composed: true,
  };
  return `${jsonText(message)}\n`;
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
}

const placeholder = '@content';

async function* block({ name, mediaType, chunks }: ClaudeAttachment): AsyncGenerator<string> {
  const isText = mediaType === 'text/plain';
  const isImage = mediaType.startsWith('image/');
  const source = { type: isText ? 'text' : 'base64', media_type: mediaType };
  const shown = isImage ? { type: 'image' } : { type: 'document', title: name };
  yield `${jsonText({ ...shown, source }).slice(0, -2)},"data":"`;
  yield* isText ? escapedText(chunks()) : base64(chunks());
  yield '"}},';
}

/** The inside of a JSON string: the text as it is, a byte order mark included. */
async function* escapedText(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for await (const chunk of chunks) {
    yield jsonText(decoder.decode(chunk, { stream: true })).slice(1, -1);
  }
  decoder.decode();
}

async function* base64(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.toString('base64', 0, whole);
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield rest.toString('base64');
}
