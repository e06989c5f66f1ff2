import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** Says why it is empty. */
export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" c="var(--wa-muted)" ta="center" py="xl" px="lg">
      {children}
    </Text>
  );
}
