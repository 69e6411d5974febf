import { AppError } from '#shared/errors.ts';

/** Its disk space is used up; that of the gateway need not be. */
export class SessionFullError extends AppError {
  override readonly name = 'SessionFullError';

  constructor(diskBytes: number) {
    const megabytes = Math.round(diskBytes / 2 ** 20);
    super(
      { code: 'disk_full', statusCode: 507, retryable: false },
      `The session has used up its ${megabytes} MB: end it and begin a new one.`,
    );
  }
}

/** It was ended while the run waited. */
export class SessionEndedError extends AppError {
  override readonly name = 'SessionEndedError';

  constructor() {
    super(
      { code: 'cancelled', statusCode: 409, retryable: false },
      'The session of the run was ended.',
    );
  }
}
