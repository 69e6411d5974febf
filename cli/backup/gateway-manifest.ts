import { Type } from 'typebox';
import type { Static } from 'typebox';

import { BackupFiles, Count, createManifestForm, manifestHead, Sha256 } from './manifest.ts';

export const Manifest = Type.Object({
  ...manifestHead,
  schema: Count,
  apps: Count,
  runs: Count,
  audit_rows: Count,
  audit_head_seq: Count,
  audit_head_hash: Sha256,
  /** Named by the database, but not there or not as they should be. */
  uploads_left_out: Count,
  files: BackupFiles('^(gateway\\.db|admin-token|files/ff_[A-Za-z0-9_-]{1,100})$'),
});
export type Manifest = Static<typeof Manifest>;

export const gatewayManifest = createManifestForm(Manifest, 'the gateway');
