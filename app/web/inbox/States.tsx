/** Placeholders: loading, error, empty. */
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { Icon, type IconName } from '../parts/Icon.tsx';
import classes from './States.module.css';

export function Waiting() {
  return (
    <Center p="xl" role="status" aria-label="Loading">
      <Loader aria-hidden="true" />
    </Center>
  );
}

export function Problem({ message, onRetry }: { message: string; onRetry: () => void }) {
  return (
    <Stack p="lg" align="center" role="alert" className={classes.problem}>
      <Icon name="alarm" size={28} />
      <Text ta="center">{message}</Text>
      <Button variant="light" onClick={onRetry}>
        Try again
      </Button>
    </Stack>
  );
}

export function Nothing({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <Stack p="xl" gap={6} align="center" justify="center" className={classes.nothing}>
      <span className={classes.disc}>
        <Icon name={icon} size={26} />
      </span>
      <Text fw={600} ta="center">
        {title}
      </Text>
      {children && (
        <Text size="sm" ta="center" component="div" className={classes.quiet}>
          {children}
        </Text>
      )}
    </Stack>
  );
}

interface MoreProps {
  label: string;
  loading: boolean;
  onMore: () => void;
}

/** The end of a list that has more: loads more when it becomes visible. */
export function More({ label, loading, onMore }: MoreProps) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    if (!end.current || loading) return;
    const watch = new IntersectionObserver(([seen]) => seen?.isIntersecting && more.current(), { rootMargin: '200px' });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [loading]);
  return (
    <div ref={end}>
      <Button variant="subtle" fullWidth loading={loading} onClick={onMore}>
        {label}
      </Button>
    </div>
  );
}
