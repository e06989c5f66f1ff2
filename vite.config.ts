/** Builds the pages of `app/web` into `dist/web`; `app/http/pages.ts` serves them. */
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * On a slow connection the shell of a page is seen at once: browsers paint nothing before the style sheets in the head are there, but what
 * stands above those in the body. Scripts wait for both. Styles that the page makes itself come later and win.
 */
const stylesBehindShell: Plugin = {
  name: 'styles-behind-shell',
  transformIndexHtml: {
    order: 'post',
    handler(html) {
      const styles = html.match(/^ *<link rel="stylesheet".*\n/gm) ?? [];
      const without = styles.reduce((rest, style) => rest.replace(style, ''), html);
      return without.replace(/^ *<div id="root">/m, (root) => styles.join('') + root);
    },
  },
};

export default defineConfig({
  root: 'app/web',
  base: '/web/',
  plugins: [react(), stylesBehindShell],
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
