// A small load of everything an app can ask for: waited for or not, with a key or without, again when interrupted or not, with a file.
import type { Answer, GatewayClient } from './gateway-client.ts';
import { upload } from './upload-form.ts';

export type LoadApps = Readonly<Record<'one' | 'two', { token: string; fileToken: string }>>;

export type LoadRequest = {
  app: keyof LoadApps;
  path: '/run' | '/runs';
  key: string | null;
  body: Record<string, unknown> & { metadata: { says: string } };
};

export async function mintLoadApps(gateway: GatewayClient): Promise<LoadApps> {
  const mintOne = async (name: string) => {
    const token = await gateway.mint(name);
    const { body } = await upload(gateway, token, `the file of ${name}`);
    return { token, fileToken: String(body.file_token) };
  };
  return { one: await mintOne('one'), two: await mintOne('two') };
}

/** Of the app with this number: they are the first two of their gateway. */
export function tokenOf({ one, two }: LoadApps, appId: number): string {
  return (appId === 1 ? one : two).token;
}

/** The id of the run that an answer names, if any. */
export function toldBy(answer: Answer | null | undefined): string[] {
  const runId: unknown = answer?.body?.run_id;
  return typeof runId === 'string' ? [runId] : [];
}

/** @param directive a line for every prompt. @param label makes texts and keys its own. */
export function mixedLoad(apps: LoadApps, directive: string, label: string): LoadRequest[] {
  const ask = (
    app: keyof LoadApps,
    path: LoadRequest['path'],
    fields: { key?: string; onInterrupt?: string; withFile?: boolean } = {},
  ): LoadRequest => {
    const { key = null, onInterrupt, withFile = false } = fields;
    const kind = [path, key, onInterrupt, withFile ? 'file' : null].filter(Boolean).join(' ');
    const says = `${label} ${app} ${kind}`;
    return {
      ...{ app, path, key: key === null ? null : `${label}-${key}` },
      body: {
        prompt: `${directive}\n${says}`,
        metadata: { says },
        ...(onInterrupt === undefined ? {} : { on_interrupt: onInterrupt }),
        ...(withFile ? { files: [apps[app].fileToken] } : {}),
      },
    };
  };
  return [
    ask('one', '/run'),
    ask('two', '/runs', { key: 'a', onInterrupt: 'retry' }),
    ask('one', '/run', { key: 'b' }),
    ask('two', '/runs', { withFile: true }),
    ask('one', '/runs', { onInterrupt: 'retry' }),
    ask('two', '/run', { onInterrupt: 'retry' }),
    ask('one', '/runs', { key: 'c', withFile: true }),
    ask('two', '/runs'),
  ];
}

/** Null when the gateway is gone before it answers. */
export async function send(
  gateway: GatewayClient,
  apps: LoadApps,
  { app, path, key, body }: LoadRequest,
): Promise<Answer | null> {
  const headers = {
    authorization: `Bearer ${apps[app].token}`,
    'content-type': 'application/json',
    ...(key === null ? {} : { 'idempotency-key': key }),
  };
  return gateway
    .fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    .catch(() => null);
}
