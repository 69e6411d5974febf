import { describe, expect, test } from 'vitest';

import { ConfigError } from '#shared/config/config-error.ts';

import { readConfig } from '../../vault/config.ts';

describe('the configuration of the vault', () => {
  test('is complete without a single variable, and open to nobody but this machine', () => {
    const { config, secrets, warnings } = readConfig({}, '/srv');
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8700 },
      dataDir: '/srv/data',
      door: { allowCidrs: [], allowedHosts: [], allowWildcardBind: false, trustedProxies: [] },
      rate: { perMinute: 60, burst: 10 },
      retention: { eventsMs: null, auditMs: 365 * 86_400_000 },
      isProduction: false,
    });
    expect(secrets).toEqual({ databaseUrl: null });
    expect(warnings).toEqual([]);
  });

  test('says everything that is wrong at once, and shows no secret', () => {
    const env = {
      VAULT_PORT: '80x',
      VAULT_HOST: '0.0.0.0',
      DATABASE_URL: 'mysql://user:secret@host/x',
    };
    const read = () => readConfig(env, '/');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/VAULT_PORT is "80x"[^]*VAULT_HOST is "0.0.0.0"/);
    expect(read).toThrow(/DATABASE_URL has a wrong value \(not shown\)/);
    expect(read).not.toThrow(/secret@/);
  });

  test('warns of a name that it does not know', () => {
    const { warnings } = readConfig(
      { VAULT_PROT: '1', GATEWAY_PORT: '1', EVENT_RETENTION_DAYS: '3' },
      '/',
    );
    expect(warnings).toEqual([
      expect.stringContaining('VAULT_PROT is not a variable of the vault'),
    ]);
  });
});
