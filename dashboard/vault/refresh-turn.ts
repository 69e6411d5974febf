// A refresh token works once, and all tabs have the same one: they take turns.
const name = 'gatehouse-refresh';
const turnMs = 15_000;
const lookMs = 60;

export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  // A page that came by plain HTTP from another host has no locks.
  const locks: LockManager | undefined = 'locks' in navigator ? navigator.locks : undefined;
  if (locks !== undefined) return await locks.request(name, work);
  const mine = `${Date.now() + turnMs}:${Math.random()}`;
  await takeTurn(mine);
  try {
    return await work();
  } finally {
    if (localStorage.getItem(name) === mine) localStorage.removeItem(name);
  }
}

async function takeTurn(mine: string): Promise<void> {
  for (;;) {
    const other = localStorage.getItem(name);
    if (other === mine) return;
    if (other === null || !(Number.parseInt(other, 10) > Date.now())) {
      localStorage.setItem(name, mine);
    }
    // Whoever wrote last has it.
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
