// Where one writes: Enter sends, Shift+Enter breaks the line; files come by button, paste or drop.
import { useId, useLayoutEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { bytesText } from '../controls/amount-text.ts';
import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useUploads } from './uploads.ts';
import type { Uploads } from './uploads.ts';

/** What was written and not sent, by person and agent, for as long as the page is open. */
const drafts = new Map<string, string>();
const heightMaxPx = 240;

export function Composer({ agent }: { agent: ListedAgent }) {
  const { live } = useLive();
  const { agent_id: agentId, name } = agent;
  const draft = `${useMe().user.user_id} ${agentId}`;
  const [text, setText] = useState(drafts.get(draft) ?? '');
  const uploads = useUploads(agentId);
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const id = useId();

  const write = (next: string): void => {
    setText(next);
    drafts.set(draft, next);
  };
  useLayoutEffect(() => {
    const shown = area.current;
    if (shown === null) return;
    shown.style.height = 'auto';
    shown.style.height = `${Math.min(heightMaxPx, shown.scrollHeight)}px`;
  }, [text]);

  const ready = uploads.items.flatMap(({ attachment }) =>
    attachment === null ? [] : [attachment],
  );
  const isUploading = uploads.items.some(
    (each) => each.attachment === null && each.failure === null,
  );
  const isEmpty = text.trim() === '' && ready.length === 0;
  const send = (): void => {
    if (isEmpty || isUploading) return;
    live.outbox.send(agentId, text.trim(), ready);
    write('');
    uploads.clear();
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // An Enter that ends the choice of a character is none of ours.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      aria-label={`Write to ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        uploads.add(event.dataTransfer.files);
      }}
    >
      <UploadList uploads={uploads} />
      <div className="composer-row">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Files"
          onChange={({ target }) => {
            uploads.add(target.files ?? []);
            target.value = '';
          }}
        />
        <Button
          kind="quiet"
          className="button-icon"
          aria-label="Attach files"
          title="Attach files"
          onClick={() => picker.current?.click()}
        >
          <Icon name="attach" />
        </Button>
        <label className="visually-hidden" htmlFor={id}>
          Message to {name}
        </label>
        <textarea
          ref={area}
          id={id}
          rows={1}
          placeholder={`Message to ${name}`}
          enterKeyHint="send"
          value={text}
          onChange={({ target }) => write(target.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const { files } = event.clipboardData;
            if (files.length === 0) return;
            event.preventDefault();
            uploads.add(files);
          }}
        />
        <Button
          kind="primary"
          type="submit"
          className="button-icon"
          aria-label="Send"
          title="Send (Enter)"
          disabled={isEmpty || isUploading}
        >
          <Icon name="send" />
        </Button>
      </div>
    </form>
  );
}

function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.items.length === 0) return null;
  return (
    <ul className="attachments" aria-label="Files of this message">
      {uploads.items.map(({ key, name, size, attachment, failure }) => (
        <li key={key} className="attachment">
          <Icon name="file" />
          <span className="clipped">{name}</span>
          <span className={failure === null ? 'muted' : 'failure'} role="status">
            {failure ?? (attachment === null ? 'uploading…' : bytesText(size))}
          </span>
          <Button
            kind="quiet"
            className="button-icon button-small"
            aria-label={`Remove ${name}`}
            onClick={() => uploads.remove(key)}
          >
            <Icon name="close" />
          </Button>
        </li>
      ))}
    </ul>
  );
}
