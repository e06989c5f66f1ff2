/** Builds the pages of `app/web` into `dist/web`; `app/http/pages.ts` serves them. */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'app/web',
  base: '/web/',
  plugins: [react()],
  // The nonce is another one in every response, see `app/http/pages.ts`.
  html: { cspNonce: 'NONCE_OF_THIS_RESPONSE' },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    // Flat names: the server looks no further than its own directory. Nothing is inlined that the policy would forbid.
    assetsDir: '',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { simulator: 'app/web/simulator.html', inbox: 'app/web/inbox.html' } },
  },
  // `npx vite` shows the pages while they are worked on, with the bot running beside it.
  server: { proxy: { '/simulator/api': 'http://localhost:3002', '/api': 'http://localhost:3002' } },
});
