import type { ReactNode } from 'react';

import { useAction } from './action.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { FailureNote } from './failure-note.tsx';

export function ConfirmDialog({
  title,
  children,
  deed,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  /** What the button says. */
  deed: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const { isBusy, failure, run } = useAction();
  const confirm = async (): Promise<void> => {
    if (await run(onConfirm)) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <FailureNote text={failure} />
      <div className="dialog-actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" disabled={isBusy} onClick={() => void confirm()}>
          {deed}
        </Button>
      </div>
    </Dialog>
  );
}
