import { isCidr } from '#shared/door/cidr.ts';
// What an admin asks for when an app is made, held against what the gateway allows at all.
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';

import type { StoredApp } from './app-store.ts';
import { allowsModel, isModelPattern } from './model-pattern.ts';

export type NewApp = Omit<StoredApp, 'appId' | 'createdAt'>;

export type AppLimits = {
  allowedModels: readonly string[];
  timeoutMaxMs: number;
  /** Names of all that there are. */
  workspaces: readonly string[];
};

/** Throws a 400 that names the field and the entry. */
export function checkNewApp(
  app: Pick<NewApp, 'ipCidrs' | 'models' | 'timeoutSecsMax' | 'workspaces'>,
  limits: AppLimits,
): void {
  for (const [index, cidr] of app.ipCidrs.entries()) {
    if (!isCidr(cidr)) {
      throw fieldError(`ip_cidrs.${index}`, cidr, 'is not an address or CIDR');
    }
  }
  for (const [index, model] of (app.models ?? []).entries()) {
    if (!isModelPattern(model) || !allowsModel(limits.allowedModels, model)) {
      throw fieldError(`models.${index}`, model, 'is not allowed by ALLOWED_MODELS');
    }
  }
  for (const [index, name] of app.workspaces.entries()) {
    if (!limits.workspaces.includes(name)) {
      throw fieldError(`workspaces.${index}`, name, 'is not in the file that WORKSPACES names');
    }
  }
  const timeoutSecsMax = app.timeoutSecsMax ?? 0;
  if (timeoutSecsMax * 1000 > limits.timeoutMaxMs) {
    const reason = `is more than RUN_TIMEOUT_MAX_SECS, ${limits.timeoutMaxMs / 1000}`;
    throw fieldError('timeout_secs_max', timeoutSecsMax, reason);
  }
}

function fieldError(field: string, value: string | number, reason: string): AppError {
  const message = `${field} ${JSON.stringify(value)} ${reason}`;
  return requestError('invalid_request', message, { details: { field, value } });
}
