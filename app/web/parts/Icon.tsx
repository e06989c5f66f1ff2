import type { ReactNode } from 'react';

/** A drawing of 24 by 24 in the colour of the text. Hidden from screen readers: the control has the label. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {DRAWINGS[name]}
    </svg>
  );
}

export type IconName = keyof typeof DRAWINGS;

const DRAWINGS = {
  alarm: <path d="M12 8v5m0 3.500v.01M12 3 2.500 20h19z" />,
  attach: <path d="M12 5v14M5 12h14" />,
  back: <path d="M20 12H5m6-6-6 6 6 6" />,
  board: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <path d="m7 12 3 3 6-6" />
    </>
  ),
  button: (
    <>
      <path d="m9 8-5 4 5 4" />
      <path d="M4 12h10a6 6 0 0 1 6 6" />
    </>
  ),
  chart: <path d="M4 20h16M7 16v-5m5 5V6m5 10v-7" />,
  check: <path d="m5 12.500 4.500 4.500L19 7.500" />,
  chevron: <path d="m6 9 6 6 6-6" />,
  clock: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 7v5l3.500 2" />
    </>
  ),
  close: <path d="M6 6l12 12M18 6 6 18" />,
  code: <path d="m8 7-5 5 5 5m8-10 5 5-5 5M14 4l-4 16" />,
  document: (
    <>
      <path d="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8z" />
      <path d="M14 3v5h5" />
    </>
  ),
  down: <path d="M12 5v14m-6-6 6 6 6-6" />,
  ear: <path d="M7 9a5 5 0 0 1 10 0c0 4-4 4-4 8a3 3 0 0 1-5.500 1.600M10 9a2 2 0 0 1 4 0" />,
  emoji: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500v.01M15 9.500v.01" />
    </>
  ),
  location: (
    <>
      <path d="M12 21s7-6.200 7-11.500a7 7 0 0 0-14 0C5 14.800 12 21 12 21z" />
      <circle cx="12" cy="9.500" r="2.500" />
    </>
  ),
  leave: <path d="M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M4 12h11m-4-4 4 4-4 4" />,
  memory: (
    <>
      <ellipse cx="12" cy="6" rx="8" ry="3" />
      <path d="M4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3" />
    </>
  ),
  megaphone: <path d="M4 10v4h3l9 5V5l-9 5zm16-1v6M8 14.500V20" />,
  microphone: (
    <>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5 11a7 7 0 0 0 14 0M12 18v3" />
    </>
  ),
  more: <path d="M12 5.500v.01M12 12v.01M12 18.500v.01" strokeWidth="3" />,
  moon: <path d="M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z" />,
  pause: <path d="M8 5v14M16 5v14" strokeWidth="3" />,
  person: (
    <>
      <circle cx="12" cy="8" r="4" />
      <path d="M4 21a8 8 0 0 1 16 0" />
    </>
  ),
  picture: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <circle cx="9" cy="10" r="1.500" />
      <path d="m4 18 5-5 3 3 4-4 4 4" />
    </>
  ),
  play: <path d="M7 5v14l12-7z" fill="currentColor" />,
  plus: <path d="M12 5v14M5 12h14" />,
  repeat: <path d="M4 12a8 8 0 0 1 14-5l2 2m0-5v5h-5M20 12a8 8 0 0 1-14 5l-2-2m0 5v-5h5" />,
  search: <path d="M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM20 20l-4.500-4.500" />,
  send: <path d="M4 12 3 4l18 8-18 8 1-8zm0 0h8" fill="currentColor" />,
  shuffle: <path d="M3 7h4l10 10h4m-3-3 3 3-3 3M3 17h4l2-2M15 9l2-2h4m-3-3 3 3-3 3" />,
  spark: (
    <path
      d="M12 3c.700 5 3.500 8 9 9-5.500 1-8.300 4-9 9-.700-5-3.500-8-9-9 5.500-1 8.300-4 9-9z"
      fill="currentColor"
      stroke="none"
    />
  ),
  sun: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1.100 1.100M17.300 17.300l1.100 1.100M18.400 5.600l-1.100 1.100M6.700 17.300l-1.100 1.100" />
    </>
  ),
  text: <path d="M5 6h14M5 11h14M5 16h9" />,
  up: <path d="M12 19V5m-6 6 6-6 6 6" />,
  trash: <path d="M4 7h16M9 7V4h6v3m-8 0 1 14h8l1-14" />,
} satisfies Record<string, ReactNode>;
