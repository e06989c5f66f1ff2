import { ActionIcon, CloseButton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { Icon } from '../parts/Icon.tsx';
import { find } from './api.ts';
import type { Place } from './paths.ts';
import classes from './Thread.module.css';
import { useKeys } from './useKeys.ts';

export interface Found {
  words: string;
  /** The messages that have the words, newest first; empty until they are known. */
  ids: string[];
  isLoading: boolean;
  /** Which of them is shown. */
  at: number;
  go: (at: number) => void;
  close: () => void;
}

/** What was searched for in the list, in this conversation; null when nothing was. */
export function useFound(place: Place): Found | null {
  const [params, setParams] = useSearchParams();
  const words = params.get('find') ?? '';
  const [at, setAt] = useState(0);
  const hits = useQuery({
    queryKey: ['thread', place.phone, place.business ?? '', 'find', words],
    queryFn: () => find(place, words),
    enabled: words !== '',
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other words begin with their newest message
  useEffect(() => setAt(0), [words]);
  if (words === '') return null;
  const ids = hits.data?.messages.map(({ id }) => id) ?? [];
  const close = () =>
    setParams(
      (now) => {
        now.delete('find');
        return now;
      },
      { replace: true },
    );
  return { words, ids, isLoading: hits.isPending, at: Math.min(at, Math.max(ids.length - 1, 0)), go: setAt, close };
}

/** Leads from one message that has the words to the next. n goes to the older one, p to the newer. */
export function FindBar({ found: { words, ids, isLoading, at, go, close } }: { found: Found }) {
  const older = () => go(Math.min(at + 1, ids.length - 1));
  const newer = () => go(Math.max(at - 1, 0));
  useKeys([
    ['n', older],
    ['p', newer],
  ]);
  if (!isLoading && ids.length === 0) return null; // it was their name that was found
  return (
    <div className={classes.find}>
      <Icon name="search" size={15} />
      <Text size="sm" truncate role="status">
        {isLoading ? 'Looking for ' : `${at + 1} of ${ids.length} with `}
        <strong>{words}</strong>
      </Text>
      <ActionIcon.Group ml="auto">
        <ActionIcon
          variant="default"
          size="md"
          aria-label="Older message with these words"
          disabled={at >= ids.length - 1}
          onClick={older}
        >
          <Icon name="up" size={16} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          size="md"
          aria-label="Newer message with these words"
          disabled={at === 0}
          onClick={newer}
        >
          <Icon name="down" size={16} />
        </ActionIcon>
      </ActionIcon.Group>
      <CloseButton size="md" aria-label="Close the search in this conversation" onClick={close} />
    </div>
  );
}
