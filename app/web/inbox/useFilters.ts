import { useDebouncedValue } from '@mantine/hooks';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';

/**
 * Values that narrow a list, kept in the address: loading the page again, Back and another tab keep them.
 * @param defaults by the parameter's name; a parameter that has its default is not in the address.
 */
export function useFilters<Name extends string>(
  defaults: Record<Name, string>,
): [values: Record<Name, string>, set: (change: Partial<Record<Name, string>>) => void, query: Record<string, string>] {
  const [params, setParams] = useSearchParams();
  const names = Object.keys(defaults) as Name[]; // what Object.keys gives of this type
  const values = { ...defaults };
  const query: Record<string, string> = {};
  for (const name of names) {
    const given = params.get(name);
    if (given === null) continue;
    values[name] = given;
    query[name] = given;
  }
  const set = useCallback(
    (change: Partial<Record<Name, string>>) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries<string | undefined>(change)) {
            if (value === undefined || value === defaults[name as Name]) next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: true },
      );
    },
    [setParams, defaults],
  );
  return [values, set, query];
}

/** What is typed, and a moment later searched for. The address may change it, too: Back, or another tab. */
export function useSearchWords(searched: string, search: (words: string) => void): [string, (words: string) => void] {
  const [words, setWords] = useState(searched);
  const [settled] = useDebouncedValue(words.trim(), 250);
  const last = useRef(searched);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was typed is searched for, when it has settled
  useEffect(() => {
    if (settled === last.current) return;
    last.current = settled;
    search(settled);
  }, [settled]);
  useEffect(() => {
    if (searched === last.current) return;
    last.current = searched;
    setWords(searched);
  }, [searched]);
  return [words, setWords];
}
