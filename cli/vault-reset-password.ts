// npm run vault:reset-password -- <name>: prints a link by which the user sets a new password.
import { printLink } from './host-link/host-link.ts';

process.exitCode = await printLink({
  usage: 'npm run vault:reset-password',
  page: 'reset-password',
  action: 'user.password_reset_offered',
  offer: (links, scope, user) => links.offerPasswordReset(scope, user, null),
});
