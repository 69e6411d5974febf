// What a service answers on a question that changes nothing, within a time.
export type ServiceAnswer =
  | { kind: 'answered'; status: number; body: unknown; date: string | null }
  | { kind: 'silent'; reason: string };

const answerWithinMs = 3000;

export async function askService(url: string, token: string | null): Promise<ServiceAnswer> {
  try {
    const response = await fetch(url, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerWithinMs),
      redirect: 'error',
    });
    const text = await response.text();
    const date = response.headers.get('date');
    return { kind: 'answered', status: response.status, body: parsed(text), date };
  } catch (err) {
    return { kind: 'silent', reason: reasonOf(err) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  if (err.name === 'TimeoutError') return `no answer within ${answerWithinMs / 1000} s`;
  const { cause } = err;
  if (!(cause instanceof Error)) return err.message;
  return 'code' in cause ? String(cause.code) : cause.message;
}
