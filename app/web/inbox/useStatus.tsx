import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import type { Conversation } from '../../inbox/contract.ts';
import { setStatus } from './api.ts';
import { threadPath } from './paths.ts';
import { nameOf, problemOf } from './words.ts';

type Status = Conversation['conversation_status'];

/** How long the notification offers to undo a change, ms. */
const UNDO_MS = 10_000;

/**
 * Archives a conversation, blocks its contact, or makes it active again, and offers to undo that.
 * @returns false when it did not work: then a notification says why
 */
export function useStatus(): (conversation: Conversation, status: Status, onUndone?: () => void) => Promise<boolean> {
  const queries = useQueryClient();
  return change;

  async function put({ phone_number, business_number }: Conversation, status: Status): Promise<boolean> {
    const done = await setStatus({ phone_number, business_number, status }).then(
      () => true,
      (error) => {
        notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
        return false;
      },
    );
    void Promise.all(['thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    return done;
  }

  async function change(conversation: Conversation, status: Status, onUndone = () => {}): Promise<boolean> {
    if (!(await put(conversation, status))) return false;
    const { phone_number: phone, business_number: business, conversation_status: before } = conversation;
    // Each change has its own: somebody who archived two by mistake gets both back.
    const id = `changed ${threadPath({ phone, business })}`;
    const undo = () => {
      notifications.hide(id);
      void put(conversation, before).then((done) => done && onUndone());
    };
    notifications.hide(id);
    const message = <Changed who={nameOf(conversation)} status={status} onUndo={undo} />;
    notifications.show({ id, message, autoClose: UNDO_MS, closeButtonProps: { 'aria-label': 'Close' } });
    return true;
  }
}

function Changed({ who, status, onUndo }: { who: string; status: Status; onUndo: () => void }) {
  return (
    <Group gap="xs" wrap="nowrap" justify="space-between">
      <span>
        <bdi>{who}</bdi>: {CHANGED[status]}
      </span>
      <Button variant="subtle" size="compact-sm" flex="none" onClick={onUndo}>
        Undo
      </Button>
    </Group>
  );
}

const CHANGED: Record<Status, string> = {
  active: 'active again.',
  archived: 'archived. It returns when they write again; the status filter shows it.',
  blocked: 'blocked. The bot neither answers nor remembers their messages.',
};
