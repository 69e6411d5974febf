// What a call of the typed client fails with.
import { expect } from 'vitest';

import { GatewayError } from '#shared/gateway-client-error.ts';

/** Fails the test when the call succeeds, or fails with something else. */
export async function failureOf(call: Promise<unknown>): Promise<GatewayError> {
  const failure = await call.then(
    () => null,
    (err: unknown) => err,
  );
  expect(failure).toBeInstanceOf(GatewayError);
  return failure as GatewayError;
}
