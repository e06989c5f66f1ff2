import { useLocalStorage } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import * as api from './api.ts';

/**
 * The prepared people, and those that were added in this browser.
 * @param wanted a contact that the address names; a guest when they are not known.
 */
export function usePeople(wanted: string | undefined) {
  const { data, error } = useQuery({ queryKey: ['people'], queryFn: api.people, staleTime: Number.POSITIVE_INFINITY });
  const [own, setOwn] = useLocalStorage<SimulatedPerson[]>({ key: 'recado.people', defaultValue: [] });
  const people = useMemo(() => {
    const known = [...(data?.people ?? []), ...own];
    const isNew = data && wanted && isContact(wanted) && !known.some(({ contact }) => contact === wanted);
    return isNew ? [...known, { contact: wanted, profileName: 'Guest' }] : known;
  }, [data, own, wanted]);
  return {
    people,
    /** Our numbers, without `+`; '' while they are not known. */
    numbers: { twilio: data?.business ?? '', meta: data?.cloudBusiness ?? '' },
    /** Why there are no people. */
    problem: error?.message,
    add: (person: SimulatedPerson) =>
      setOwn((before) => [...before.filter(({ contact }) => contact !== person.contact), person]),
  };
}

/** Digits, or a username id with its country. */
export function isContact(text: string): boolean {
  return /^(?:\d{6,15}|[A-Z]{2}\.[A-Za-z0-9]{1,128})$/.test(text);
}

/** `+1 555 010 0123`; a username id as it is. */
export function shownContact(contact: string): string {
  if (!/^\d+$/.test(contact)) return contact;
  const groups = /^1(\d{3})(\d{3})(\d{4})$/.exec(contact) ?? /^44(\d{4})(\d{6})$/.exec(contact);
  if (!groups) return `+${contact}`;
  return `+${contact.startsWith('1') ? '1' : '44'} ${groups.slice(1).join(' ')}`;
}
