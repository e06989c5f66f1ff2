import { Modal, Text, TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import type { Conversation, Template } from '../../inbox/contract.ts';
import { conversations } from './api.ts';
import { TemplateForm } from './TemplateForm.tsx';
import { TemplateList } from './TemplateList.tsx';
import classes from './Templates.module.css';
import { numberIn } from './templates.ts';
import { type SendingTemplate, useSendTemplate } from './useSendTemplate.ts';
import { nameOf, whyNoTemplate } from './words.ts';

const LOOK = { size: 'xl', closeButtonProps: { 'aria-label': 'Close' } } as const;

interface TemplateDialogProps {
  conversation: Conversation;
  onClose: () => void;
}

/** Sends a template to the contact of a conversation. */
export function TemplateDialog({ conversation, onClose }: TemplateDialogProps) {
  const { phone_number, business_number, channel } = conversation;
  const sending = useSendTemplate();
  const refusal = whyNoTemplate(conversation);
  async function send(template: Template, variables: Record<string, string>): Promise<void> {
    const to = { to_number: phone_number, business_number };
    if (await sending.send({ ...to, template: template.id, variables })) onClose();
  }
  return (
    <Modal opened {...LOOK} onClose={() => sending.busy || onClose()} title={`Template to ${nameOf(conversation)}`}>
      {refusal === null ? (
        <Steps channel={channel} sending={sending} onSend={(...filled) => void send(...filled)} begins />
      ) : (
        <Text size="sm">{refusal}</Text>
      )}
    </Modal>
  );
}

interface NewMessageDialogProps {
  onClose: () => void;
  /** It was sent to this number. */
  onSent: (phone: string) => void;
}

/** Writes to a number, also to one that has never written: WhatsApp allows a template alone. */
export function NewMessageDialog({ onClose, onSent }: NewMessageDialogProps) {
  const sending = useSendTemplate();
  const [typed, setTyped] = useState('');
  const [tried, setTried] = useState(false);
  const [opening, setOpening] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const phone = numberIn(typed);
  const busy = sending.busy || opening;

  async function send(template: Template, variables: Record<string, string>): Promise<void> {
    setTried(true);
    if (phone === null) return field.current?.focus();
    if (!(await sending.send({ to_number: phone, template: template.id, variables }))) return;
    setOpening(true);
    await recorded(phone);
    onSent(phone);
  }
  return (
    <Modal opened {...LOOK} onClose={() => busy || onClose()} title="New message">
      <div className={classes.steps}>
        <TextInput
          ref={field}
          label="Number"
          description="With the country code. Write only to people who agreed to get messages from you."
          placeholder="+1 555 010 0188"
          type="tel"
          autoComplete="off"
          required
          data-autofocus
          maxLength={40}
          value={typed}
          error={tried && phone === null ? 'Write a number with its country code, such as +1 555 010 0188.' : null}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Steps channel={undefined} sending={{ ...sending, busy }} onSend={(...filled) => void send(...filled)} />
      </div>
    </Modal>
  );
}

interface StepsProps {
  channel: string | undefined;
  sending: SendingTemplate;
  onSend: (template: Template, variables: Record<string, string>) => void;
  /** Nothing stands before them: they have the focus. */
  begins?: boolean;
}

/** First choose, then fill in. */
function Steps({ channel, sending, onSend, begins = false }: StepsProps) {
  const [chosen, setChosen] = useState<Template | null>(null);
  const [returned, setReturned] = useState(false);
  if (chosen === null) return <TemplateList channel={channel} onChoose={setChosen} focused={begins || returned} />;
  return (
    <TemplateForm
      key={chosen.id}
      template={chosen}
      busy={sending.busy}
      problem={sending.problem}
      onBack={() => {
        sending.forget();
        setReturned(true);
        setChosen(null);
      }}
      onSend={(variables) => onSend(chosen, variables)}
    />
  );
}

const TRIES = 20;
const WAIT_MS = 250;

/** The archive has a new conversation a moment after the message was sent. One that takes longer appears later. */
async function recorded(phone: string): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    const { count } = await conversations({ search: phone.slice(1), limit: 1 }).catch(() => ({ count: 0 }));
    if (count > 0) return;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}
