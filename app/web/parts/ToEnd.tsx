import { ActionIcon } from '@mantine/core';
import { Icon } from './Icon.tsx';
import classes from './ToEnd.module.css';
import type { End } from './useEnd.ts';

/** The way down, for somebody who reads further up. */
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
