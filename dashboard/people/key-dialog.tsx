import { useState } from 'react';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field, SelectField } from '../controls/field.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useStore } from '../vault/store.ts';
import { presets, scopeWords } from './key-scopes.ts';

const usualPreset = presets[0];
const lifetimes = [
  ['', 'For ever'],
  ['2592000', '30 days'],
  ['31536000', 'A year'],
] as const;

export function KeyDialog({
  forAgent,
  onMade,
  onClose,
}: {
  /** The one that is chosen at first. */
  forAgent: string | null;
  onMade: (made: { name: string; key: string }) => Promise<void>;
  onClose: () => void;
}) {
  const { vault, live } = useLive();
  const { may } = useMe();
  const agents = useStore(live.state).agents ?? [];
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set(usualPreset?.scopes));
  const [agentId, setAgentId] = useState(forAgent ?? '');
  const [lifetime, setLifetime] = useState('');
  const { isBusy, failure, run } = useAction();
  const make = async (): Promise<void> => {
    const given = [...scopes].filter(may);
    const made = await vault.createKey({
      ...{ name: name.trim(), kind: 'prod', scopes: given },
      ...(agentId === '' ? {} : { agents: [agentId] }),
      ...(lifetime === '' ? {} : { expires_in_secs: Number(lifetime) }),
    });
    await onMade({ name: made.name, key: made.key });
  };
  const toggle = (scope: string): void => {
    const next = new Set(scopes);
    if (!next.delete(scope)) next.add(scope);
    setScopes(next);
  };
  return (
    <Dialog title="New key" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(make);
        }}
      >
        <Field
          label="Name"
          hint="What uses it."
          required
          maxLength={64}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <SelectField
          label="For"
          options={presets.map((each) => [each.name, each.name])}
          onChange={({ target }) => {
            const preset = presets.find((each) => each.name === target.value);
            if (preset !== undefined) setScopes(new Set(preset.scopes));
          }}
        />
        <fieldset className="field">
          <legend>It may</legend>
          <div className="checks">
            {scopeWords
              .filter(([scope]) => may(scope))
              .map(([scope, words]) => (
                <label key={scope} className="check" title={scope}>
                  <input
                    type="checkbox"
                    checked={scopes.has(scope)}
                    onChange={() => toggle(scope)}
                  />
                  {words}
                </label>
              ))}
          </div>
        </fieldset>
        <SelectField
          label="For the agents"
          options={[
            ['', 'All of them'],
            ...agents.map((agent) => [agent.agent_id, agent.name] as const),
          ]}
          value={agentId}
          onChange={({ target }) => setAgentId(target.value)}
        />
        <SelectField
          label="Works"
          options={lifetimes}
          value={lifetime}
          onChange={({ target }) => setLifetime(target.value)}
        />
        <FailureNote text={failure} />
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            disabled={isBusy || name.trim() === '' || scopes.size === 0}
          >
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
