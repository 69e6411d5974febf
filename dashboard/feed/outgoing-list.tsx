// Messages that the vault does not have yet.
import { Button } from '../controls/button.tsx';
import { useLive } from '../live/live-context.ts';
import type { Outgoing } from '../live/outbox.ts';
import { AttachmentNames } from './attachment-list.tsx';
import { Markdown } from './markdown.tsx';

export function OutgoingList({ outgoing }: { outgoing: readonly Outgoing[] }) {
  const { live } = useLive();
  return outgoing.map(({ key, content, attachments, failure, waitsForVault }) => (
    <article
      key={key}
      className="message message-user message-mine message-outgoing"
      aria-label="Message on its way"
    >
      <p className="message-head">
        <span className="message-author">You</span>
      </p>
      <div className="message-body keep-lines">
        {content !== '' && <Markdown text={content} />}
        <AttachmentNames attachments={attachments} />
      </div>
      {failure === null ? (
        <p className="message-foot">Sending…</p>
      ) : (
        <div className="message-foot" role="alert">
          <span>
            {waitsForVault
              ? 'Not sent yet: it goes when the vault is back.'
              : `Not sent. ${failure}`}
          </span>
          <Button className="button-small" onClick={() => live.outbox.retry(key)}>
            Try again
          </Button>
          <Button className="button-small" kind="quiet" onClick={() => live.outbox.drop(key)}>
            Discard
          </Button>
        </div>
      )}
    </article>
  ));
}
