// The tables as Kysely knows them: columns in camelCase, JSON as text, times as ISO text.
import type { Kysely } from 'kysely';

type Text = string;
type TextOrNull = string | null;

export type UserRow = {
  userId: Text;
  realm: Text;
  name: Text;
  displayName: Text;
  role: 'admin' | 'agent' | 'viewer';
  passwordHash: TextOrNull;
  version: number;
  createdAt: Text;
  updatedAt: Text;
  disabledAt: TextOrNull;
  lastSignInAt: TextOrNull;
};

export type RefreshFamilyRow = {
  familyId: Text;
  realm: Text;
  userId: Text;
  csrfSha256: Text;
  address: Text;
  userAgent: Text;
  createdAt: Text;
  expiresAt: Text;
  endedAt: TextOrNull;
  endReason: TextOrNull;
};

export type RefreshTokenRow = {
  tokenSha256: Text;
  realm: Text;
  familyId: Text;
  createdAt: Text;
  expiresAt: Text;
  usedAt: TextOrNull;
};

export type OneTimeLinkRow = {
  linkId: Text;
  realm: Text;
  kind: 'setup' | 'invitation' | 'password_reset' | 'sign_in';
  secretSha256: Text;
  role: 'admin' | 'agent' | 'viewer' | null;
  userId: TextOrNull;
  createdBy: TextOrNull;
  createdAt: Text;
  expiresAt: Text;
  usedAt: TextOrNull;
  revokedAt: TextOrNull;
};

export type ApiKeyRow = {
  keyId: Text;
  realm: Text;
  ownerId: Text;
  name: Text;
  kind: 'prod' | 'dev';
  scopes: Text;
  agents: TextOrNull;
  perMinute: number;
  burst: number;
  version: number;
  createdAt: Text;
  updatedAt: Text;
  expiresAt: TextOrNull;
  revokedAt: TextOrNull;
  lastUsedAt: TextOrNull;
  lastUsedIp: TextOrNull;
};

export type KeySecretRow = {
  secretSha256: Text;
  realm: Text;
  keyId: Text;
  createdAt: Text;
  validUntil: TextOrNull;
};

export const agentStates = ['online', 'working', 'offline', 'error'] as const;
export type AgentState = (typeof agentStates)[number];

export type AgentRow = {
  agentId: Text;
  realm: Text;
  name: Text;
  description: Text;
  labels: Text;
  place: number;
  version: number;
  createdAt: Text;
  updatedAt: Text;
  archivedAt: TextOrNull;
  status: AgentState;
  statusText: TextOrNull;
  lastSeenAt: TextOrNull;
};

export type EventRow = {
  seq: number;
  realm: Text;
  eventId: Text;
  agentId: TextOrNull;
  eventType: Text;
  content: Text;
  metadata: Text;
  replyTo: TextOrNull;
  attachments: Text;
  authorKind: 'user' | 'key' | 'system';
  authorId: Text;
  authorName: Text;
  idempotencyKey: TextOrNull;
  requestSha256: TextOrNull;
  createdAt: Text;
};

export type ClaimRow = {
  eventId: Text;
  realm: Text;
  agentId: Text;
  fence: number;
  state: 'held' | 'released' | 'expired' | 'answered';
  holderId: Text;
  holderName: Text;
  claimedAt: Text;
  leaseExpiresAt: Text;
  endedAt: TextOrNull;
};

export type ReadMarkRow = {
  realm: Text;
  userId: Text;
  agentId: Text;
  seq: number;
  updatedAt: Text;
};

export type AttachmentRow = {
  attachmentId: Text;
  realm: Text;
  agentId: Text;
  eventId: TextOrNull;
  ownerId: Text;
  name: Text;
  mediaType: Text;
  size: number;
  sha256: Text;
  createdAt: Text;
};

export type HostRow = {
  realm: Text;
  name: Text;
  report: Text;
  reportedBy: Text;
  reportedAt: Text;
};

export type IdempotencyKeyRow = {
  realm: Text;
  scope: Text;
  path: Text;
  key: Text;
  requestSha256: Text;
  statusCode: number;
  /** Of the answer, as JSON; null for those that were kept before there was this. */
  headers: TextOrNull;
  body: TextOrNull;
  createdAt: Text;
};

export type AuditRow = {
  seq: number;
  realm: Text;
  at: Text;
  action: Text;
  actorKind: Text;
  actorId: TextOrNull;
  actorName: TextOrNull;
  address: TextOrNull;
  resource: TextOrNull;
  details: Text;
  prunedToSeq: number | null;
  previousHash: Text;
  hash: Text;
};

export type Tables = {
  counters: { realm: Text; name: Text; value: number };
  users: UserRow;
  refreshFamilies: RefreshFamilyRow;
  refreshTokens: RefreshTokenRow;
  oneTimeLinks: OneTimeLinkRow;
  apiKeys: ApiKeyRow;
  keySecrets: KeySecretRow;
  agents: AgentRow;
  events: EventRow;
  claims: ClaimRow;
  readMarks: ReadMarkRow;
  attachments: AttachmentRow;
  hosts: HostRow;
  idempotencyKeys: IdempotencyKeyRow;
  auditLog: AuditRow;
};

/** Where a store reads and writes: the database itself, or one transaction of it. */
export type Db = Kysely<Tables>;
