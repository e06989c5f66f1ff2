import { ActionIcon, Button, Menu, NativeSelect, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { numbers, takeover } from './api.ts';
import { ConsentDialog } from './ConsentDialog.tsx';
import { withQuery } from './paths.ts';
import { Tag } from './Tag.tsx';
import { TaskDialog } from './TaskDialog.tsx';
import { TemplateDialog } from './TemplateDialog.tsx';
import classes from './Thread.module.css';
import { useNow } from './useNow.ts';
import { useThreadControl } from './useThreadControl.ts';
import { clock, nameOf, problemOf, until } from './words.ts';

interface ThreadHeaderProps {
  conversation: Conversation;
  onClose: () => void;
  onChange: (status: Conversation['conversation_status']) => void;
}

/** The contact, who answers them, and the actions of the conversation. */
export function ThreadHeader({ conversation, onClose, onChange }: ThreadHeaderProps) {
  const actions = useRef<HTMLButtonElement>(null);
  // The menu's entry that opened it is gone by then.
  const closing = { onClose: () => setTimeout(() => actions.current?.focus()) };
  const { control } = useThreadControl(conversation);
  const [adding, dialog] = useDisclosure(false, closing);
  const [consenting, consent] = useDisclosure(false, closing);
  const [choosing, template] = useDisclosure(false, closing);
  const { conversation_status: status, contact_name, phone_number, business_number, total_messages } = conversation;
  const [, navigate] = useLocation();
  const hasNumbers = (useQuery({ queryKey: ['numbers'], queryFn: numbers }).data?.numbers.length ?? 0) > 1;
  return (
    <header className={classes.header}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        className={classes.back}
        aria-label="Back to the list"
        onClick={onClose}
      >
        <Icon name="back" />
      </ActionIcon>
      <Avatar name={nameOf(conversation)} size={40} />
      <div className={classes.who}>
        <Text component="h1" size="md" fw={600} truncate>
          {nameOf(conversation)}
          {status !== 'active' && (
            <span className={classes.state}>
              <Tag tone={status === 'blocked' ? 'bad' : 'plain'}>{status === 'blocked' ? 'Blocked' : 'Archived'}</Tag>
            </span>
          )}
          {conversation.opted_out_at !== null && (
            <span className={classes.state}>
              <Tag tone="bad">No messages wanted</Tag>
            </span>
          )}
        </Text>
        <Text size="xs" truncate className={classes.quiet}>
          {contact_name ? `${phone_number} · ` : ''}
          {hasNumbers ? `to ${business_number} · ` : ''}
          {total_messages === 1 ? '1 message' : `${total_messages.toLocaleString('en')} messages`}
        </Text>
      </div>
      <Takeover conversation={conversation} />
      <Menu position="bottom-end" shadow="md" width={220}>
        <Menu.Target>
          <ActionIcon ref={actions} variant="subtle" color="gray" size="lg" aria-label="Actions for this conversation">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Icon name="document" size={16} />} onClick={template.open}>
            Send a template
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="board" size={16} />} onClick={dialog.open}>
            Add a task
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="chart" size={16} />}
            onClick={() => navigate(withQuery('/dashboard/costs', { phone: phone_number, number: business_number }))}
          >
            What it costs
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="check" size={16} />} onClick={consent.open}>
            Consent to messages
          </Menu.Item>
          {conversation.is_shared && conversation.answered_by !== 'other' && (
            <Menu.Item leftSection={<Icon name="back" size={16} />} onClick={() => void control('release')}>
              Give to another responder
            </Menu.Item>
          )}
          <Menu.Divider />
          {status !== 'active' && <Menu.Item onClick={() => onChange('active')}>Move to inbox</Menu.Item>}
          {status === 'active' && (
            <Menu.Item rightSection="e" onClick={() => onChange('archived')}>
              Archive
            </Menu.Item>
          )}
          {status !== 'blocked' && (
            <Menu.Item color="red" onClick={() => onChange('blocked')}>
              Block this contact
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {adding && <TaskDialog about={conversation} onClose={dialog.close} />}
      {consenting && <ConsentDialog conversation={conversation} onClose={consent.close} />}
      {choosing && <TemplateDialog conversation={conversation} onClose={template.close} />}
    </header>
  );
}

const PAUSES = [15, 30, 60, 240, 1_440].map((minutes) => ({
  value: String(minutes),
  label: minutes < 60 ? `for ${minutes} min` : `for ${minutes / 60} h`,
}));

/** So long before the bot answers again, the header says so, ms. */
const SOON_MS = 120_000;

/** Pauses the bot, so that a person answers. */
function Takeover({ conversation }: { conversation: Conversation }) {
  const { phone_number, business_number, takeover_until, conversation_status, spam, answered_by } = conversation;
  const isBlocked = conversation_status === 'blocked';
  const isOthers = answered_by === 'other';
  const throttledUntil = spam?.throttled_until ?? null;
  const now = useNow([takeover_until, throttledUntil]);
  const isThrottled = throttledUntil !== null && Date.parse(throttledUntil) > now;
  const left = takeover_until === null ? 0 : Date.parse(takeover_until) - now;
  const queries = useQueryClient();
  const [minutes, setMinutes] = useState('30');
  const [busy, setBusy] = useState(false);
  const active = left > 0;

  async function set(on: boolean, pause = minutes): Promise<void> {
    setBusy(true);
    try {
      await takeover({ phone_number, business_number, active: on, minutes: Number(pause) });
      await queries.invalidateQueries({ queryKey: ['thread', phone_number] });
      void queries.invalidateQueries({ queryKey: ['conversations'] });
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    setBusy(false);
  }

  return (
    <fieldset className={classes.takeover}>
      <legend className={classes.hidden}>Who answers</legend>
      <Text size="xs" className={classes.answers} role="status" data-soon={active && left < SOON_MS}>
        {isBlocked && 'Blocked: nobody answers'}
        {!isBlocked &&
          !active &&
          (isOthers ? 'Bot is silent' : isThrottled ? 'Bot does not answer' : 'Bot is answering')}
        {!isBlocked && active && left >= SOON_MS && `Bot is paused until ${until(takeover_until, now)}`}
        {!isBlocked && active && takeover_until && left < SOON_MS && `Bot answers again at ${clock(takeover_until)}`}
      </Text>
      <Tooltip label="The bot answers again when no person has written for this long" multiline w={220}>
        <NativeSelect
          size="xs"
          aria-label="How long the bot is paused after the last message of a person"
          data={PAUSES}
          value={minutes}
          disabled={isBlocked}
          onChange={(event) => {
            setMinutes(event.currentTarget.value);
            if (active) void set(true, event.currentTarget.value);
          }}
        />
      </Tooltip>
      <Button
        size="xs"
        variant={active ? 'light' : 'filled'}
        color={active ? 'violet' : 'teal'}
        loading={busy}
        disabled={isBlocked}
        onClick={() => void set(!active)}
      >
        {active ? 'Let the bot answer again' : 'Pause the bot'}
      </Button>
    </fieldset>
  );
}
