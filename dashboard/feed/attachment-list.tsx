// The files of a message: pictures are shown, all of them can be saved. They are fetched with the token, so they come as blobs.
import { useEffect, useState } from 'react';

import type { AttachmentView } from '#shared/vault-event-api.ts';

import { useAction } from '../controls/action.ts';
import { bytesText } from '../controls/amount-text.ts';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { useLive } from '../live/live-context.ts';

/** SVG is none of them: it is a document. */
const pictureTypes: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
]);
const pictureBytesMax = 10 * 2 ** 20;
const keptMs = 60_000;

type Attachments = readonly AttachmentView[];

export function AttachmentList({ attachments }: { attachments: Attachments }) {
  if (attachments.length === 0) return null;
  return (
    <ul className="attachments">
      {attachments.map((attachment) => (
        <li key={attachment.attachment_id}>
          <Attachment attachment={attachment} />
        </li>
      ))}
    </ul>
  );
}

export function AttachmentNames({ attachments }: { attachments: Attachments }) {
  if (attachments.length === 0) return null;
  return (
    <ul className="attachments">
      {attachments.map(({ attachment_id: id, name, size }) => (
        <li key={id} className="attachment">
          <Icon name="file" />
          <span className="clipped">{name}</span>
          <span className="muted">{bytesText(size)}</span>
        </li>
      ))}
    </ul>
  );
}

function Attachment({ attachment }: { attachment: AttachmentView }) {
  const { vault } = useLive();
  const { isBusy, failure, run } = useAction();
  const { attachment_id: id, name, size, media_type: type } = attachment;
  const save = async (): Promise<void> => {
    const url = URL.createObjectURL(await vault.file(id));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), keptMs);
  };
  const isPicture = pictureTypes.has(type) && size <= pictureBytesMax;
  return (
    <>
      {isPicture && <Picture attachment={attachment} />}
      <button
        type="button"
        className="attachment"
        disabled={isBusy}
        aria-label={`Save ${name}, ${bytesText(size)}`}
        onClick={() => void run(save)}
      >
        <Icon name={isPicture ? 'download' : 'file'} />
        <span className="clipped">{name}</span>
        <span className="muted">{bytesText(size)}</span>
      </button>
      <FailureNote text={failure} />
    </>
  );
}

function Picture({ attachment }: { attachment: AttachmentView }) {
  const { vault } = useLive();
  const [url, setUrl] = useState<string | null>(null);
  const { attachment_id: id, name, media_type: type } = attachment;
  useEffect(() => {
    const left = new AbortController();
    let made: string | null = null;
    const load = async (): Promise<void> => {
      const blob = await vault.file(id, left.signal);
      if (left.signal.aborted) return;
      made = URL.createObjectURL(blob.slice(0, blob.size, type));
      setUrl(made);
    };
    // It can be saved all the same.
    load().catch(() => {});
    return () => {
      left.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [vault, id, type]);
  return url === null ? null : <img className="picture" src={url} alt={name} />;
}
