// The files table.
import type { Database } from '#shared/database.ts';
import type { MediaType } from '#shared/uploads/media-type.ts';

export type StoredFile = {
  fileToken: string;
  appId: number;
  /** For people and the model; never part of a path. */
  name: string;
  mediaType: MediaType;
  size: number;
  sha256: string;
  createdAt: string;
  expiresAt: string;
};

export type FilePlace = Pick<StoredFile, 'createdAt' | 'fileToken'>;

/** Everywhere `now` is ISO text: what has expired by then is not there, swept away or not. */
export type FileStore = {
  insert: (file: StoredFile) => void;
  find: (appId: number, fileToken: string, now: string) => StoredFile | null;
  /** Newest first, those after a place. */
  list: (appId: number, after: FilePlace, limit: number, now: string) => StoredFile[];
  usage: (appId: number, now: string) => { files: number; bytes: number };
  /** Lets it expire at once; false when there is no such file. */
  expire: (appId: number, fileToken: string, now: string) => boolean;
  /** Expired ones too: for a run that was accepted with it. */
  findPinned: (fileToken: string) => StoredFile | null;
  /** Gives the tokens of those it removed; those that an open run has pinned stay. */
  removeExpired: (now: string) => string[];
  tokens: () => string[];
};

const columns = `file_token as fileToken, app_id as appId, name, media_type as mediaType, size, sha256,
  created_at as createdAt, expires_at as expiresAt`;

export function createFileStore(db: Database): FileStore {
  const insert = db.prepare<[StoredFile]>(
    `insert into files (file_token, app_id, name, media_type, size, sha256, created_at, expires_at)
     values (@fileToken, @appId, @name, @mediaType, @size, @sha256, @createdAt, @expiresAt)`,
  );
  const find = db.prepare<[string, number, string], StoredFile>(
    `select ${columns} from files where file_token = ? and app_id = ? and expires_at > ?`,
  );
  const list = db.prepare<[number, string, string, string, number], StoredFile>(
    `select ${columns} from files
     where app_id = ? and expires_at > ? and (created_at, file_token) < (?, ?)
     order by created_at desc, file_token desc limit ?`,
  );
  const usage = db.prepare<[number, string], { files: number; bytes: number }>(
    `select count(*) as files, coalesce(sum(size), 0) as bytes from files
     where app_id = ? and expires_at > ?`,
  );
  const expire = db.prepare<[{ appId: number; fileToken: string; now: string }]>(
    `update files set expires_at = @now
     where file_token = @fileToken and app_id = @appId and expires_at > @now`,
  );
  const findPinned = db.prepare<[string], StoredFile>(
    `select ${columns} from files where file_token = ?`,
  );
  const removeExpired = db.prepare<[string], { fileToken: string }>(
    `delete from files where expires_at <= ?
       and not exists (select 1 from run_files f where f.file_token = files.file_token)
     returning file_token as fileToken`,
  );
  const tokens = db.prepare<[], { fileToken: string }>(`select file_token as fileToken from files`);
  return {
    insert: (file) => void insert.run(file),
    find: (appId, fileToken, now) => find.get(fileToken, appId, now) ?? null,
    list: (appId, after, limit, now) =>
      list.all(appId, now, after.createdAt, after.fileToken, limit),
    usage: (appId, now) => usage.get(appId, now) ?? { files: 0, bytes: 0 },
    expire: (appId, fileToken, now) => expire.run({ appId, fileToken, now }).changes === 1,
    findPinned: (fileToken) => findPinned.get(fileToken) ?? null,
    removeExpired: (now) => removeExpired.all(now).map(({ fileToken }) => fileToken),
    tokens: () => tokens.all().map(({ fileToken }) => fileToken),
  };
}
