/** Lets only so many pieces of work run at a time; the others wait in order. */
export type TurnGate = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createTurnGate(maxAtOnce: number): TurnGate {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running < maxAtOnce) {
      running += 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await promise;
  }

  // A turn is handed on rather than given back, so that nobody overtakes those who wait.
  function handOn(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return async (work) => {
    await turn();
    try {
      return await work();
    } finally {
      handOn();
    }
  };
}
