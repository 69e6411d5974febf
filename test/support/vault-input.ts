// Requests to routes of the vault that are to be refused as the document says, and soon.
import type { DocumentedOperation } from './committed-api.ts';
import { deviations } from './documented-call.ts';
import { vaultApi } from './vault-api.ts';
import type { GoodRequest } from './vault-good-requests.ts';
import type { RouteAnswer, RouteWorld } from './vault-routes.ts';

export type InputTrial = {
  /** A good one. What is refused leaves all as it was: one for each route is enough. */
  requestTo: (route: DocumentedOperation) => Promise<GoodRequest>;
  send: (route: DocumentedOperation, request: GoodRequest) => Promise<RouteAnswer>;
  /** Of a request that is to be refused with one of these; empty when it is, as the document says and soon. */
  faultsOf: (
    route: DocumentedOperation,
    request: GoodRequest,
    statuses: readonly number[],
  ) => Promise<string[]>;
};

/** Ten times what it may take on a machine with nothing else to do. */
const patienceMs = 2000;

export function createInputTrial(world: () => RouteWorld): InputTrial {
  const requests = new Map<string, Promise<GoodRequest>>();

  const send: InputTrial['send'] = (route, request) =>
    world().send(route, request, { token: world().admin.token });
  return {
    async requestTo(route) {
      const request = requests.get(route.name) ?? world().goodRequest(route);
      requests.set(route.name, request);
      return request;
    },
    send,
    async faultsOf(route, request, statuses) {
      const startedAt = performance.now();
      const answer = await send(route, request);
      const tookMs = performance.now() - startedAt;
      const { status, text } = answer;
      return [
        ...deviations(vaultApi, route, answer),
        ...(statuses.includes(status) ? [] : [`${status}: ${text.slice(0, 1000)}`]),
        ...(tookMs > patienceMs ? [`it took ${Math.round(tookMs)} ms`] : []),
      ];
    },
  };
}

/** The good body with one member more, as JSON. */
export function withMember({ body }: GoodRequest, member: string): string {
  const text = JSON.stringify(body);
  return text === '{}' ? `{${member}}` : `${text.slice(0, -1)},${member}}`;
}
