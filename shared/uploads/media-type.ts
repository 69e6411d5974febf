// What a file is, told by its bytes and never by its name.
export type MediaType =
  | 'text/plain'
  | 'image/png'
  | 'image/jpeg'
  | 'image/gif'
  | 'image/webp'
  | 'application/pdf';

export const acceptedTypes = 'UTF-8 text, PNG, JPEG, GIF, WebP and PDF';

export type MediaTypeTeller = {
  push: (chunk: Buffer) => void;
  /** Nothing that may still come can make it one of the accepted types. */
  isHopeless: () => boolean;
  /** When all bytes are there; null for none of the accepted types. */
  mediaType: () => MediaType | null;
};

const headLength = 12;

export function createMediaTypeTeller(): MediaTypeTeller {
  const text = createTextCheck();
  let head = Buffer.alloc(0);
  return {
    push(chunk) {
      if (head.length < headLength) {
        head = Buffer.concat([head, chunk.subarray(0, headLength - head.length)]);
      }
      if (signatureOf(head) === null) text.push(chunk);
    },
    isHopeless: () => head.length === headLength && signatureOf(head) === null && !text.isText(),
    mediaType: () => signatureOf(head) ?? (text.isWhole() ? 'text/plain' : null),
  };
}

function signatureOf(head: Buffer): MediaType | null {
  const starts = (hex: string, at = 0): boolean =>
    head.toString('hex', at, at + hex.length / 2) === hex;
  if (starts('89504e470d0a1a0a')) return 'image/png';
  if (starts('ffd8ff')) return 'image/jpeg';
  if (starts('474946383761') || starts('474946383961')) return 'image/gif';
  if (starts('52494646') && starts('57454250', 8)) return 'image/webp';
  return starts('255044462d') ? 'application/pdf' : null;
}

/** UTF-8 without NUL, wherever the chunks are cut. */
function createTextCheck() {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isText = true;
  const decode = (chunk?: Buffer): void => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      isText = false;
    }
  };
  return {
    push(chunk: Buffer): void {
      if (chunk.includes(0)) isText = false;
      if (isText) decode(chunk);
    },
    isText: () => isText,
    isWhole(): boolean {
      if (isText) decode();
      return isText;
    },
  };
}
