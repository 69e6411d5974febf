// A browser as far as signing in goes: it keeps the cookies, sends them where they belong, and proves with the CSRF token that a request is its own.
import type { TestVault, VaultAnswer, VaultCall } from './vault-world.ts';

export type Browser = {
  /** POST to a path below /api/v1, with the cookies and the CSRF token. */
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<VaultAnswer>;
  /** With the access token of the last answer that had one. */
  call: (path: string, options?: VaultCall) => Promise<VaultAnswer>;
  cookies: Map<string, string>;
  /** A second one with the same cookies. */
  copy: () => Browser;
};

export const goodPassword = 'correct horse battery';

export function openBrowser(
  world: Pick<TestVault, 'call'>,
  cookies = new Map<string, string>(),
): Browser {
  let accessToken: string | null = null;

  const post: Browser['post'] = async (path, body, headers = {}) => {
    const csrfToken = cookies.get('gatehouse_csrf');
    const sent = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await world.call(null, path, {
      method: 'POST',
      ...(body === undefined ? {} : { body }),
      headers: {
        ...(sent === '' ? {} : { cookie: sent }),
        ...(csrfToken === undefined ? {} : { 'x-csrf-token': csrfToken }),
        ...headers,
      },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    accessToken = answer.body?.data?.access_token ?? accessToken;
    return answer;
  };
  return {
    post,
    call: (path, options) => world.call(accessToken, path, options),
    cookies,
    copy: () => openBrowser(world, new Map(cookies)),
  };
}

/** A user with a password, made by an admin, and a browser where they are signed in. */
export async function signedInBrowser(
  world: TestVault,
  role: 'admin' | 'agent' | 'viewer',
  name: string,
): Promise<Browser & { userId: string }> {
  const { token } = await world.person('admin');
  const made = await world.call(token, '/users', { body: { name, role, password: goodPassword } });
  if (made.status !== 201) throw new Error(`no user: ${made.text}`);
  const browser = openBrowser(world);
  const answer = await browser.post('/auth/login', { name, password: goodPassword });
  if (answer.status !== 200)
    throw new Error(`not signed in: ${answer.text} ${JSON.stringify(world.logged())}`);
  return { ...browser, userId: made.body.data.user_id };
}

export async function auditOf(
  { vault }: Pick<TestVault, 'vault'>,
  action?: string,
): Promise<
  { action: string; actorName: string | null; details: string; resource: string | null }[]
> {
  const query = { before: Number.MAX_SAFE_INTEGER, limit: 200, action };
  return (await vault.audit.list(vault.database.reads, query)).items;
}
