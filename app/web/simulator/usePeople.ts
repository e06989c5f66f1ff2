import { useLocalStorage } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import * as api from './api.ts';

/** The cast, and whom somebody has made up in this browser. */
export function usePeople() {
  const { data } = useQuery({ queryKey: ['people'], queryFn: api.people, staleTime: Number.POSITIVE_INFINITY });
  const [own, setOwn] = useLocalStorage<SimulatedPerson[]>({ key: 'recado.people', defaultValue: [] });
  const people = useMemo(() => [...(data?.people ?? []), ...own], [data, own]);
  return {
    people,
    business: data?.business ?? '',
    add: (person: SimulatedPerson) =>
      setOwn((before) => [...before.filter(({ contact }) => contact !== person.contact), person]),
  };
}

/** `+1 555 010 0123`; a username id as it is. */
export function shownContact(contact: string): string {
  if (!/^\d+$/.test(contact)) return contact;
  const groups = /^1(\d{3})(\d{3})(\d{4})$/.exec(contact) ?? /^44(\d{4})(\d{6})$/.exec(contact);
  if (!groups) return `+${contact}`;
  return `+${contact.startsWith('1') ? '1' : '44'} ${groups.slice(1).join(' ')}`;
}
