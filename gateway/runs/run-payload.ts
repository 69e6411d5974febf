// What a run is to do, where it waits: in memory for one that goes when its client goes, in the database for any other.
import type { FileShelf } from '../files/file-shelf.ts';
import type { OpenFile } from '../files/open-file.ts';
import type { AdmittedRun } from './admission.ts';
import type { RunOrigin } from './run-settlement.ts';
import type { RunStore, StoredRequest } from './run-store.ts';

/** Disposing of it closes its files. */
export type RunPayload = AsyncDisposable & {
  admitted: AdmittedRun;
  files: readonly OpenFile[];
  origin: RunOrigin;
};

type Settings = Omit<AdmittedRun, 'claude'> & {
  claude: Omit<AdmittedRun['claude'], 'prompt' | 'system'>;
  address: string;
  requestId: string;
};

export function storedRequestOf(
  admitted: AdmittedRun,
  origin: { address: string; requestId: string },
): StoredRequest {
  const { claude, ...rest } = admitted;
  const { prompt, system, ...claudeRest } = claude;
  const settings: Settings = { ...rest, claude: claudeRest, ...origin };
  return { prompt, system, settings: JSON.stringify(settings) };
}

/** Throws when the request or the bytes of a file are gone. */
export async function loadPayload(
  runSeq: number,
  store: RunStore,
  shelf: Pick<FileShelf, 'openPinned'>,
): Promise<RunPayload> {
  const stored = store.readRequest(runSeq);
  if (stored === null) throw new Error('the request of the run is not there');
  const { prompt, system } = stored;
  const { claude, address, requestId, ...rest }: Settings = JSON.parse(stored.settings);
  const opened = await shelf.openPinned(store.pinnedFiles(runSeq));
  return {
    admitted: { ...rest, claude: { ...claude, prompt, system } },
    files: opened.files,
    origin: { address, requestId, keepsText: true },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Who asked for a run whose request is stored. */
export function originOf(runSeq: number, store: RunStore): RunOrigin {
  const text = store.readRequest(runSeq)?.settings ?? '{}';
  const { address = '', requestId = '' }: Partial<Settings> = JSON.parse(text);
  return { address, requestId, keepsText: true };
}
