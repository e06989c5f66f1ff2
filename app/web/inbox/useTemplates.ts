import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Answered } from '../../inbox/contract.ts';
import { templates } from './api.ts';
import { templateInWords } from './templates.ts';

/** The server asks the providers again after five minutes. */
const FRESH_MS = 60_000;

/** @param channel undefined: those of all channels */
export function useTemplates(channel: string | undefined, enabled = true): UseQueryResult<Answered<'templates'>> {
  return useQuery({
    queryKey: ['templates', channel ?? ''],
    queryFn: () => templates(channel === undefined ? {} : { channel }),
    staleTime: FRESH_MS,
    enabled,
  });
}

/** `Template · order_ready (en)`; `Template` while the name of one of Twilio's is not known. @param id null: no template, or an unknown one */
export function useTemplateLabel(id: string | null, channel: string): string {
  // Meta's are named by what we have; for an id of Twilio's, the list has the name.
  const { data } = useTemplates(channel, id !== null && !id.includes(':'));
  const words = id === null ? null : templateInWords(id, data?.templates ?? []);
  return words === null ? 'Template' : `Template · ${words}`;
}
