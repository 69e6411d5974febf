// What every operation of the API document refuses, it refuses as the document says.
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { DocumentedOperation } from '../support/committed-api.ts';
import { authorization, callAsShown, deviations } from '../support/documented-call.ts';
import type { CallOptions } from '../support/documented-call.ts';
import { gatewayApi } from '../support/gateway-api.ts';
import { startTestGateway, testAdminToken } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;
let appToken: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  appToken = await gateway.mint('crawler');
});

afterAll(() => gateway.close());

const unknown = { run_id: 'run_unknown', file_token: 'ff_unknown', name: 'unknown' };

async function refusal(
  operation: DocumentedOperation,
  options: Pick<CallOptions, 'headers' | 'body'> = {},
): Promise<{ status: number; deviations: string[] }> {
  const tokens = { appToken, adminToken: testAdminToken };
  const all = { url: gateway.url, tokens, values: unknown, ...options };
  const answer = await callAsShown(operation, all);
  return { status: answer.status, deviations: deviations(gatewayApi, operation, answer) };
}

function documented(status: number) {
  return { status, deviations: [] };
}

const withToken = gatewayApi.operations.filter(({ operation }) => operation.security?.length !== 0);
const withPathValue = gatewayApi.operations.filter(({ path }) => path.includes('{'));
const withJson = gatewayApi.operations.filter(
  ({ operation }) => operation.requestBody?.content['application/json'] !== undefined,
);
const withBody = gatewayApi.operations.filter(({ method }) => method !== 'GET');

test.each(gatewayApi.operations)('$name serves no page of another origin', async (operation) => {
  const headers = { origin: 'http://elsewhere.example' };
  expect(await refusal(operation, { headers })).toEqual(documented(403));
});

test.each(withToken)('$name needs a token', async (operation) => {
  const headers = { authorization: '' };
  expect(await refusal(operation, { headers })).toEqual(documented(401));
});

test.each(withToken)('$name is not for the token of the other side', async (operation) => {
  const swapped = { appToken: testAdminToken, adminToken: appToken };
  const headers = authorization(operation.operation, swapped);
  expect(await refusal(operation, { headers })).toEqual(documented(403));
});

test.each(withPathValue)('$name says that there is nothing', async (operation) => {
  expect(await refusal(operation)).toEqual(documented(404));
});

test.each(withJson)('$name refuses a field that it does not know', async (operation) => {
  expect(await refusal(operation, { body: '{"no_such_field":1}' })).toEqual(documented(400));
});

test.each(withBody)('$name refuses a body of another type', async (operation) => {
  const headers = { 'content-type': 'text/plain' };
  expect(await refusal(operation, { headers, body: 'hello' })).toEqual(documented(415));
});
