import { useState } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import { useLive } from '../live/live-context.ts';

/** For a new agent when it is null. */
export function AgentDialog({
  agent,
  onDone,
  onClose,
}: {
  agent: ListedAgent | null;
  onDone: () => Promise<void>;
  onClose: () => void;
}) {
  const { vault } = useLive();
  const [name, setName] = useState(agent?.name ?? '');
  const [description, setDescription] = useState(agent?.description ?? '');
  const { isBusy, failure, run } = useAction();
  const save = async (): Promise<void> => {
    const fields = { name: name.trim(), description: description.trim() };
    if (agent === null) await vault.createAgent(fields);
    else await vault.changeAgent(agent, fields);
    await onDone();
    onClose();
  };
  return (
    <Dialog title={agent === null ? 'New agent' : `Edit ${agent.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(save);
        }}
      >
        <Field
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Field
          label="Description"
          hint="What it is for. Optional."
          maxLength={2000}
          value={description}
          onChange={({ target }) => setDescription(target.value)}
        />
        <FailureNote text={failure} />
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={isBusy || name.trim() === ''}>
            {agent === null ? 'Create' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
