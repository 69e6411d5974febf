import { Type } from 'typebox';
import type { Static } from 'typebox';

import {
  BackupFiles,
  Count,
  createManifestForm,
  manifestHead,
  Sha256,
} from '../backup/manifest.ts';

/** What is in vault.db. */
const Contents = Type.Object({
  schema: Count,
  users: Count,
  agents: Count,
  events: Count,
  event_head: Count,
  audit_rows: Count,
  audit_head_seq: Count,
  audit_head_hash: Sha256,
});

export const VaultManifest = Type.Object({
  ...manifestHead,
  service: Type.Literal('the vault'),
  /** Null where the database is PostgreSQL's and not in the backup. */
  contents: Type.Union([Contents, Type.Null()]),
  /** Named by the database, but not there or not as they should be. */
  attachments_left_out: Count,
  files: BackupFiles('^(vault\\.db|vault-keys/signing-key\\.pem|attachments/att_[0-9a-z]{26})$'),
});
export type VaultManifest = Static<typeof VaultManifest>;
export type VaultContents = Static<typeof Contents>;

export const vaultManifest = createManifestForm(VaultManifest, 'the vault');
