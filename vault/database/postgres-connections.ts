// Connections to PostgreSQL for Kysely: one on which something was left undone is not used again.
import type { PostgresPool } from 'kysely';
import type { Pool, PoolClient } from 'pg';

/**
 * A question that is not answered in time stays on its connection: whatever is asked there next waits behind it, and belongs to the
 * transaction that it leaves open. Connections made before such a silence are not trusted either: each would cost as long a wait.
 */
export function createPostgresConnections(pool: Pool): PostgresPool {
  /** How often the server has not answered, or not known its own plan any more. */
  let silences = 0;
  const nameOf = createStatementNames();
  const madeAfter = new WeakMap<PoolClient, number>();
  pool.on('connect', (client) => void madeAfter.set(client, silences));

  const take = async (): Promise<PoolClient> => {
    for (;;) {
      const client = await pool.connect();
      if (madeAfter.get(client) === silences) return client;
      client.release(true);
    }
  };
  return {
    options: pool.options,
    async connect() {
      const client = await take();
      let silence: Error | null = null;
      const ask = async (text: string, values: unknown[]) => {
        if (silence !== null) throw silence;
        try {
          const name = values.length === 0 ? undefined : nameOf(text);
          return await client.query(name === undefined ? { text, values } : { name, text, values });
        } catch (err) {
          if (isSilence(err) || isOutdatedPlan(err)) {
            silence = err;
            silences += 1;
          }
          throw err;
        }
      };
      return {
        // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's type has a second form, for cursors, which we do not use
        query: (text: any, values?: any): any => ask(text, values),
        release: (destroy = false) => {
          client.release(destroy || silence !== null || client.getTransactionStatus() !== 'I');
        },
      };
    },
    end: () => pool.end(),
  };
}

function isSilence(err: unknown): err is Error {
  return err instanceof Error && err.message === 'Query read timeout';
}

/** Another version of the vault has changed a table meanwhile. */
function isOutdatedPlan(err: unknown): err is Error {
  return err instanceof Error && 'code' in err && err.code === '0A000';
}

const namesMax = 300;

/** What has a name is parsed and planned once per connection. */
function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    // Lists of many lengths make statements without end: those that come late stay without.
    if (known !== undefined || names.size >= namesMax) return known;
    const name = `vault_${names.size}`;
    names.set(text, name);
    return name;
  };
}
