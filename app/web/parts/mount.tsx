import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './look.css';
import { MantineProvider } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Component, type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { reds, theme } from './theme.ts';

/** Shows a page, with everything around it that all pages share. */
export function mount(page: ReactNode): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  // Components that lock the page's scrolling make a style of their own, and look for the nonce here.
  Object.assign(globalThis, { __webpack_nonce__: nonce });
  const root = document.getElementById('root');
  if (!root) throw new Error('the page has no root');
  document.querySelector('.shell')?.remove();
  const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false } } });
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={reds} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={queries}>
          <Notices />
          <WhenItBreaks>{page}</WhenItBreaks>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

const NARROW = { position: 'top-center', containerWidth: 'calc(100vw - 32px)' } as const;

/** Where notifications cover neither the text field nor, if there is room, the content. */
function Notices() {
  const wide = useMediaQuery('(min-width: 700px)', true, { getInitialValueInEffect: false });
  const place = wide ? ({ position: 'bottom-left', containerWidth: 340 } as const) : NARROW;
  return <Notifications {...place} />;
}

/** Shows an error page instead of nothing. React offers this to classes only. */
class WhenItBreaks extends Component<{ children: ReactNode }, { problem: string | null }> {
  override state: { problem: string | null } = { problem: null };

  static getDerivedStateFromError(error: unknown): { problem: string } {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    if (problem === null) return this.props.children;
    return (
      <main className="broken">
        <h1>This page broke</h1>
        <p>Load it again. If it breaks again, this is what it said: {problem}</p>
      </main>
    );
  }
}
