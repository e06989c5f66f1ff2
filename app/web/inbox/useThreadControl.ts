import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Conversation } from '../../inbox/contract.ts';
import { threadControl } from './api.ts';
import { problemOf } from './words.ts';

/** Gives a conversation to another responder, or takes it. */
export function useThreadControl({ phone_number, business_number }: Conversation) {
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();

  async function control(action: 'release' | 'take'): Promise<void> {
    setBusy(true);
    try {
      await threadControl({ phone_number, business_number, action });
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    await queries.invalidateQueries({ queryKey: ['thread', phone_number] });
    setBusy(false);
  }
  return { busy, control };
}
