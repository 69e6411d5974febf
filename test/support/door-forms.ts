// What is tried at every door of ours.

/** AA-05: a peer's address, and whether ALLOW_CIDRS=192.168.1.0/24 lets it in. */
export const addressForms = [
  ['192.168.1.5', 200],
  ['::ffff:192.168.1.5', 200],
  ['::ffff:c0a8:105', 200],
  ['::ffff:10.0.0.1', 403],
  ['fe80::1%eth0', 403],
  ['192.168.1', 403],
  ['0300.0250.1.5', 403],
] as const;

/** AA-04: headers by which a client says where it comes from. */
export const forwardingHeaders = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'x-forwarded-host',
  'x-client-ip',
];

/** AA-07: names of parameters that are for tokens. */
export const tokenParameters = [
  'token',
  'access_token',
  'api_key',
  'key',
  'Token',
  '%74oken',
  'x=1&token',
];
