// Users, their sign-ins, invitations and keys as vault and its clients exchange them.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Nullable, pageLimit, Time, TimeOrNull } from './api-schema.ts';
import { AgentId } from './vault-event-api.ts';

export const refreshCookie = 'gatehouse_refresh';
/** The page reads it and sends it back as the header `X-CSRF-Token`. */
export const csrfCookie = 'gatehouse_csrf';
export const csrfHeader = 'x-csrf-token';

const daySecs = 86_400;

const AccountName = Type.String({
  pattern: '^[a-z0-9._-]{1,64}$',
  description: '1 to 64 of a-z, 0-9, dot, underscore and dash',
  examples: ['ada'],
});
const DisplayName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: String.raw`^\S(.*\S)?$`,
  examples: ['Ada Lovelace'],
});
const Password = Type.String({
  maxLength: 4096,
  description: '10 to 256 characters',
  examples: ['correct horse battery'],
});
const LinkToken = Type.String({
  maxLength: 100,
  description: 'what stands behind the # of the link',
});
const RoleName = Type.Enum(['admin', 'agent', 'viewer']);

const strict = { additionalProperties: false } as const;

export const UserId = Type.String({
  pattern: '^user_[0-9a-z]{26}$',
  examples: ['user_01m7yjjfcksfhngdhy16rrxw3j'],
});
export const SignInId = Type.String({
  pattern: '^family_[0-9a-z]{26}$',
  examples: ['family_01m7yjjfcksfhngdhy16rrxw3j'],
});
export const InvitationId = Type.String({
  pattern: '^invitation_[0-9a-z]{26}$',
  examples: ['invitation_01m7yjjfcksfhngdhy16rrxw3j'],
});
export const KeyId = Type.String({
  pattern: '^key_[0-9a-z]{26}$',
  examples: ['key_01m7yjjfcksfhngdhy16rrxw3j'],
});

export const UserParams = Type.Object({ user_id: UserId });
export const SignInParams = Type.Object({ sign_in_id: SignInId });
export const InvitationParams = Type.Object({ invitation_id: InvitationId });
export const KeyParams = Type.Object({ key_id: KeyId });

/** Of a list whose pages go on behind the id of an item. */
export const IdPageQuery = Type.Object(
  { limit: pageLimit, after: Type.Optional(Type.String({ pattern: '^[a-z]+_[0-9a-z]{26}$' })) },
  strict,
);

export const UserView = Type.Object(
  {
    user_id: Type.String(),
    name: Type.String(),
    display_name: Type.String(),
    role: RoleName,
    disabled: Type.Boolean(),
    disabled_at: TimeOrNull,
    created_at: Time,
    updated_at: Time,
    last_sign_in_at: TimeOrNull,
    version: Type.Integer({ minimum: 1, description: 'what If-Match wants' }),
  },
  { title: 'User' },
);
export type UserView = Static<typeof UserView>;

export const LoginRequest = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64, examples: ['ada'] }), password: Password },
  strict,
);

export const SignedIn = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in_secs: Type.Integer({ minimum: 0 }),
    expires_at: Time,
    csrf_token: Type.String({ description: 'for the header X-CSRF-Token' }),
    user: UserView,
  },
  { title: 'SignedIn', description: 'the refresh token is in a cookie that no page can read' },
);
export type SignedIn = Static<typeof SignedIn>;

/** Of whoever was sent a link and makes an account of it. */
export const JoinRequest = Type.Object(
  {
    token: LinkToken,
    name: AccountName,
    display_name: Type.Optional(DisplayName),
    password: Password,
  },
  strict,
);
export type JoinRequest = Static<typeof JoinRequest>;

export const ResetPasswordRequest = Type.Object({ token: LinkToken, password: Password }, strict);

export const LoginLinkRequest = Type.Object({ token: LinkToken }, strict);

export const MeView = Type.Object(
  {
    principal: Type.Object({
      kind: Type.Enum(['user', 'key']),
      id: Type.String(),
      name: Type.String(),
      role: RoleName,
      owner_id: Type.String({ description: 'the person who answers for it' }),
      agents: Nullable(Type.Array(Type.String(), { description: 'the only ones it is for' })),
    }),
    permissions: Type.Array(Type.String(), {
      description: 'what it may do now, some of it only for its agents',
    }),
    user: Nullable(UserView),
    sign_in_id: Nullable(Type.String()),
    expires_at: Nullable(Type.String({ description: 'when the token ends' })),
  },
  { title: 'Me', description: 'whose token it is; user and sign-in are null for a key' },
);
export type MeView = Static<typeof MeView>;

export const MeChange = Type.Object({ display_name: DisplayName }, strict);

export const PasswordChange = Type.Object(
  { current_password: Password, new_password: Password },
  strict,
);

export const SignInView = Type.Object(
  {
    sign_in_id: Type.String(),
    address: Type.String(),
    user_agent: Type.String(),
    created_at: Time,
    expires_at: Time,
    is_current: Type.Boolean({ description: 'it is the one that this token comes from' }),
  },
  { title: 'SignIn', description: 'somewhere that a user is signed in' },
);
export type SignInView = Static<typeof SignInView>;

export const UserRequest = Type.Object(
  {
    name: AccountName,
    display_name: Type.Optional(DisplayName),
    role: RoleName,
    password: Password,
  },
  strict,
);

export const UserChange = Type.Object(
  {
    role: Type.Optional(RoleName),
    display_name: Type.Optional(DisplayName),
    disabled: Type.Optional(Type.Boolean()),
  },
  { ...strict, minProperties: 1 },
);
export type UserChange = Static<typeof UserChange>;

const shownOnce = {
  token: Type.String({ description: 'shown only here' }),
  link: Type.String({ description: 'the page that takes it, with the token behind the #' }),
};

export const PasswordResetView = Type.Object(
  { user_id: Type.String(), expires_at: Time, ...shownOnce },
  { title: 'PasswordReset', description: 'a link to a new password, for one use' },
);

export const InvitationRequest = Type.Object(
  {
    role: RoleName,
    expires_in_secs: Type.Integer({ minimum: 1, maximum: 90 * daySecs, default: 7 * daySecs }),
  },
  strict,
);

export const InvitationView = Type.Object(
  {
    invitation_id: Type.String(),
    role: RoleName,
    state: Type.Enum(['open', 'used', 'revoked', 'expired']),
    created_by: Nullable(Type.String({ description: 'the id of the user who made it' })),
    created_at: Time,
    expires_at: Time,
  },
  { title: 'Invitation' },
);
export type InvitationView = Static<typeof InvitationView>;

export const InvitationMade = Type.Object(
  { ...InvitationView.properties, ...shownOnce },
  { title: 'InvitationMade', description: 'the only answer that holds the link' },
);

const KeyName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: String.raw`^\S(.*\S)?$`,
  examples: ['watcher'],
});
const Scopes = Type.Array(Type.String({ pattern: '^[a-z]+:[a-z]+$', maxLength: 40 }), {
  minItems: 1,
  maxItems: 32,
  uniqueItems: true,
  examples: [['events:read', 'events:answer']],
});
const BoundAgents = Nullable(
  Type.Array(AgentId, {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
    description: 'the only agents it is for; null for all',
  }),
);
const RatePerMinute = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const RateBurst = Type.Integer({ minimum: 0, maximum: 1_000_000 });

export const KeyView = Type.Object(
  {
    key_id: Type.String(),
    owner_id: Type.String(),
    name: Type.String(),
    kind: Type.Enum(['prod', 'dev']),
    scopes: Type.Array(Type.String(), {
      description: 'of these it has those that its owner has at the time',
    }),
    agents: Nullable(Type.Array(Type.String())),
    rate_per_minute: RatePerMinute,
    rate_burst: RateBurst,
    created_at: Time,
    updated_at: Time,
    expires_at: TimeOrNull,
    last_used_at: TimeOrNull,
    last_used_ip: Nullable(Type.String()),
    version: Type.Integer({ minimum: 1, description: 'what If-Match wants' }),
  },
  { title: 'Key' },
);
export type KeyView = Static<typeof KeyView>;

export const KeyMade = Type.Object(
  { ...KeyView.properties, key: Type.String({ description: 'shown only here' }) },
  { title: 'KeyMade', description: 'the only answer that holds the key itself' },
);

export const KeyRotated = Type.Object(
  {
    ...KeyMade.properties,
    previous_valid_until: Type.String({ description: 'when the earlier key ends' }),
  },
  { title: 'KeyRotated' },
);

export const KeyListQuery = Type.Object(
  { ...IdPageQuery.properties, owner: Type.Optional(UserId) },
  strict,
);

export const KeyRequest = Type.Object(
  {
    name: KeyName,
    kind: Type.Enum(['prod', 'dev'], {
      default: 'prod',
      description: 'a dev key does not open a production instance',
    }),
    scopes: Type.Optional(Scopes),
    agents: Type.Optional(BoundAgents),
    expires_in_secs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 * daySecs })),
    rate_per_minute: Type.Optional(RatePerMinute),
    rate_burst: Type.Optional(RateBurst),
  },
  strict,
);
export type KeyRequest = Static<typeof KeyRequest>;

export const KeyChange = Type.Object(
  {
    name: Type.Optional(KeyName),
    scopes: Type.Optional(Scopes),
    agents: Type.Optional(BoundAgents),
    rate_per_minute: Type.Optional(RatePerMinute),
    rate_burst: Type.Optional(RateBurst),
  },
  { ...strict, minProperties: 1 },
);
export type KeyChange = Static<typeof KeyChange>;

export const defaultOverlapSecs = 3600;

export const KeyRotationRequest = Type.Object(
  {
    overlap_secs: Type.Integer({
      minimum: 0,
      maximum: 30 * daySecs,
      default: defaultOverlapSecs,
      description: 'how long the earlier key goes on working; 0 when it has leaked',
    }),
  },
  strict,
);
