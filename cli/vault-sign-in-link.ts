// npm run vault:sign-in-link -- <name>: prints a link that signs the user in, once, within an hour.
import { printLink } from './host-link/host-link.ts';

process.exitCode = await printLink({
  usage: 'npm run vault:sign-in-link',
  page: 'sign-in',
  action: 'user.sign_in_link_offered',
  offer: (links, scope, user) => links.offerSignIn(scope, user),
});
