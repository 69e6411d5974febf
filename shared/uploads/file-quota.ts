// How much somebody may keep: the files that are there and what is being sent right now.
import { requestError } from '../errors.ts';

/** The part of the quota that one upload holds while it is under way. */
export type QuotaShare = {
  /** Throws `payload_too_large` when there is no room for that many more bytes. */
  grow: (bytes: number) => Promise<void>;
  /** May be called again. */
  release: () => void;
};

export type FileUsage = { files: number; bytes: number };

export type FileQuota<Owner> = { takeShare: (owner: Owner) => QuotaShare };

export type FileQuotaOptions<Owner> = {
  /** What there is of an owner at this moment. */
  usage: (owner: Owner) => FileUsage | Promise<FileUsage>;
  bytesMax: number;
  /** Very many empty ones would cost no bytes, but rows and inodes. */
  filesMax: number;
  /** What the owner is told; `most` is such as "256 MB" or "10000 files". */
  explain: (most: string) => string;
};

/** Owners are told apart as the keys of a Map. */
export function createFileQuota<Owner>(options: FileQuotaOptions<Owner>): FileQuota<Owner> {
  const { bytesMax, filesMax } = options;
  const underWay = new Map<Owner, { uploads: number; bytes: number }>();

  const overQuota = (most: string): Error =>
    requestError('payload_too_large', options.explain(most), { details: { field: 'file' } });

  return {
    takeShare(owner) {
      const own = underWay.get(owner) ?? { uploads: 0, bytes: 0 };
      let held = 0;
      let isReleased = false;
      own.uploads += 1;
      underWay.set(owner, own);
      return {
        async grow(bytes) {
          own.bytes += bytes;
          held += bytes;
          // As it is before the look: what is stored meanwhile may count twice, but never not at all.
          const sent = { ...own };
          const live = await options.usage(owner);
          if (live.files + sent.uploads > filesMax) throw overQuota(`${filesMax} files`);
          if (live.bytes + sent.bytes > bytesMax) throw overQuota(`${bytesMax / 2 ** 20} MB`);
        },
        release() {
          if (isReleased) return;
          isReleased = true;
          own.uploads -= 1;
          own.bytes -= held;
          if (own.uploads === 0) underWay.delete(owner);
        },
      };
    },
  };
}
