import { startScript } from '../support/child-script.ts';

export type StubProcess = AsyncDisposable & { url: string };

/** The model stub in a process of its own: it shares no event loop with what is measured. */
export async function startStubProcess(): Promise<StubProcess> {
  const script = startScript(`
    import { startModelStub } from './cli/model-stub.ts';
    const stub = await startModelStub();
    process.stdout.write(stub.url + '\\n');
  `);
  return { url: await script.said('http://'), [Symbol.asyncDispose]: script[Symbol.asyncDispose] };
}
