import { ActionIcon } from '@mantine/core';
import { Icon } from './Icon.tsx';
import classes from './ToEnd.module.css';
import type { End } from './useEnd.ts';

/** Scrolls to the end, when the reader has scrolled up. */
export function ToEnd({ end }: { end: End }) {
  if (end.atEnd) return null;
  return (
    <ActionIcon
      className={classes.toEnd}
      variant="default"
      radius="xl"
      size={40}
      aria-label="To the newest message"
      onClick={() => end.toEnd('smooth')}
    >
      <Icon name="down" />
    </ActionIcon>
  );
}
