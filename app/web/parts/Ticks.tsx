import { VisuallyHidden } from '@mantine/core';
import type { TickState } from './delivery.ts';

/** One tick for sent, two for delivered, two blue ones for read. */
export function Ticks({ state }: { state: TickState }) {
  return (
    <span data-ticks={state} style={{ color: state === 'read' ? 'var(--wa-read)' : 'inherit', display: 'inline-flex' }}>
      <svg
        width="17"
        height="11"
        viewBox="0 0 17 11"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d={state === 'sent' ? 'M4 6l3 3 6-7.500' : 'M1 6l3 3 6-7.500M8 8.500l.6.500 6.400-7.500'} />
      </svg>
      <VisuallyHidden>{state}</VisuallyHidden>
    </span>
  );
}
