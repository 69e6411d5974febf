// Files on their way into a message that is not sent yet.
import { useCallback, useState } from 'react';

import type { AttachmentView } from '#shared/vault-event-api.ts';
import { attachmentsMax } from '#shared/vault-event-api.ts';

import { useLive } from '../live/live-context.ts';
import { failureText } from '../vault/failure-text.ts';
import { randomId } from '../vault/random-id.ts';

export type Upload = {
  key: string;
  name: string;
  size: number;
  /** Null while it is on its way, and when it failed. */
  attachment: AttachmentView | null;
  failure: string | null;
};

export type Uploads = {
  items: readonly Upload[];
  add: (files: Iterable<File>) => void;
  remove: (key: string) => void;
  clear: () => void;
};

export function useUploads(agentId: string): Uploads {
  const { vault } = useLive();
  const [items, setItems] = useState<readonly Upload[]>([]);

  const upload = useCallback(
    async (key: string, file: File) => {
      const change = (fields: Partial<Upload>): void =>
        setItems((now) => now.map((each) => (each.key === key ? { ...each, ...fields } : each)));
      try {
        change({ attachment: await vault.upload(agentId, file, key) });
      } catch (err) {
        change({ failure: failureText(err) });
      }
    },
    [vault, agentId],
  );
  const add = (files: Iterable<File>): void => {
    let room = attachmentsMax - items.filter((each) => each.failure === null).length;
    for (const file of files) {
      const { name, size } = file;
      const key = randomId();
      const failure = room > 0 ? null : `A message takes ${attachmentsMax} files at most.`;
      setItems((now) => [...now, { key, name, size, attachment: null, failure }]);
      if (failure === null) void upload(key, file);
      room -= 1;
    }
  };
  return {
    items,
    add,
    remove: (key) => setItems((now) => now.filter((each) => each.key !== key)),
    clear: () => setItems([]),
  };
}
