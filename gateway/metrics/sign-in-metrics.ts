// Whether Claude is signed in, as the breaker sees it.
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import { breakerStates } from '../runs/sign-in-breaker.ts';
import type { SignInBreaker } from '../runs/sign-in-breaker.ts';

export function watchSignIn(registry: Registry, breaker: Pick<SignInBreaker, 'state'>): void {
  const gauge: Gauge<'state'> = new Gauge({
    name: 'gatehouse_sign_in_breaker',
    help: '1 for the state the sign-in breaker is in: closed (runs start), open (runs are refused after a failed sign-in), half_open (one run may try).',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const current = breaker.state();
      for (const state of breakerStates) gauge.set({ state }, state === current ? 1 : 0);
    },
  });
}
