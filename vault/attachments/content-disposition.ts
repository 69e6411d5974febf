// Whether a browser shows a file or saves it, and under which name: RFC 6266, with the name as in RFC 8187.

const shownTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** What RFC 8187 lets stand for itself and encodeURIComponent does as well, but for these. */
const notPlain = /['()*!]/g;

export function contentDisposition(mediaType: string, fileName: string): string {
  const kind = shownTypes.has(mediaType) ? 'inline' : 'attachment';
  // A browser keeps what follows the last separator; nothing is to look like a path at all.
  const name = fileName.toWellFormed().replaceAll(/[/\\]/g, '_');
  // For those that do not know filename*. Some decode a percent sign here.
  const plain = name.replaceAll(/[^ -~]|["%]/gu, '_');
  const whole = encodeURIComponent(name).replaceAll(
    notPlain,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${whole}`;
}
