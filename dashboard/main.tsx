import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app.tsx';

import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/layout.css';
import './style/feed.css';
import './style/tables.css';
import { createSession } from './vault/session.ts';

const session = createSession();
void session.start();

const root = document.getElementById('page');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App session={session} />
    </StrictMode>,
  );
}
