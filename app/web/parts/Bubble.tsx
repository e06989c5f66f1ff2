import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Bubble.module.css';
import { clock } from './time.ts';

export interface BubbleProps {
  /** Whether it is written by the person whose screen this is. */
  mine: boolean;
  /** Who wrote it, for screen readers. */
  by: string;
  at: number;
  /** The first of several in a row has a tail. */
  first: boolean;
  /** Filled to the edge, as pictures are. */
  tight?: boolean;
  /** Whether a text at its end leaves room for the time. */
  room: boolean;
  /** Beside the time: ticks. */
  beside?: ReactNode;
  /** Below it: what went wrong, and what to do. */
  below?: ReactNode;
  /** Beside it: what can be done about it. */
  menu?: ReactNode;
  children: ReactNode;
}

/** One message of a conversation. */
export function Bubble({ mine, by, at, first, tight = false, room, beside, below, menu, children }: BubbleProps) {
  return (
    <li className={classes.row} data-mine={mine} data-first={first}>
      <div className={classes.bubble} data-tight={tight} data-room={room}>
        <VisuallyHidden>{by}: </VisuallyHidden>
        {children}
        <span className={classes.meta}>
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
          {beside}
        </span>
        {menu}
      </div>
      {below}
    </li>
  );
}
