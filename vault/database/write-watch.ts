// Whether something was asked of the database that may have changed it.
import { SelectQueryNode } from 'kysely';

import type { Db } from './tables.ts';

export type WriteWatch = {
  /** The same connection, watched. */
  db: Db;
  hasWritten: () => boolean;
  /** From here on. */
  forget: () => void;
};

export function watchWrites(connection: Db): WriteWatch {
  let hasWritten = false;
  const db = connection.withPlugin({
    transformQuery({ node }) {
      // Also one that fails; what is written as text may do anything.
      if (!SelectQueryNode.is(node)) hasWritten = true;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  return { db, hasWritten: () => hasWritten, forget: () => void (hasWritten = false) };
}
