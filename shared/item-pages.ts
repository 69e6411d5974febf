// Everything a list has, read page by page as it is asked for.
export async function* itemsOfPages<T>(
  read: (after: string | undefined) => Promise<{ items: T[]; next: string | null }>,
): AsyncGenerator<T, void, undefined> {
  for (let after: string | undefined; ;) {
    const { items, next } = await read(after);
    yield* items;
    if (next === null) return;
    after = next;
  }
}
