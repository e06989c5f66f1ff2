import { Alert, Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { z } from 'zod';
import type { Consent, Conversation } from '../../inbox/contract.ts';
import { consents, recordConsent } from './api.ts';
import classes from './ConsentDialog.module.css';
import { Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { minuteOf, nameOf, problemOf } from './words.ts';

type Entry = z.infer<typeof Consent>;

interface ConsentDialogProps {
  conversation: Conversation;
  onClose: () => void;
}

const MEANING = {
  'opt-in': { word: 'Agreed to messages', tone: 'good' },
  'opt-out': { word: 'Wants no messages', tone: 'bad' },
} as const satisfies Record<Entry['consent'], object>;

function meaningOf({ about, consent }: Entry): string {
  if (about === 'messages') return MEANING[consent].word;
  return consent === 'opt-in' ? 'Agreed to marketing' : 'Wants no marketing';
}

const CAUSES = {
  word: 'they wrote it',
  provider: 'they wrote it, and the provider answered',
  desk: 'recorded in the inbox',
  api: 'recorded by another program',
} as const satisfies Record<Entry['cause'], string>;

/** What a contact said about getting messages, and a form for what the team knows from elsewhere. */
export function ConsentDialog({ conversation, onClose }: ConsentDialogProps) {
  const { phone_number, opted_out_at } = conversation;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Messages to ${nameOf(conversation)}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="lg">
        <Text size="sm">
          {opted_out_at === null
            ? 'They have not said that they want no messages.'
            : `They have wanted no messages since ${minuteOf(opted_out_at)}: nothing is sent to them.`}
        </Text>
        <ConsentForm conversation={conversation} />
        <Ledger phone={phone_number} />
      </Stack>
    </Modal>
  );
}

function ConsentForm({ conversation: { phone_number, opted_out_at } }: { conversation: Conversation }) {
  const queries = useQueryClient();
  const [consent, setConsent] = useState<Entry['consent']>(opted_out_at === null ? 'opt-out' : 'opt-in');
  const [source, setSource] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await recordConsent({ phone_number, consent, source });
      const changed = ['consents', 'thread', 'conversations'];
      await Promise.all(changed.map((key) => queries.invalidateQueries({ queryKey: [key] })));
      setSource('');
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
    // The button lost the focus while it was disabled.
    field.current?.focus();
  }

  return (
    <form onSubmit={save}>
      <Stack gap="sm">
        <Radio.Group
          label="What they told you elsewhere"
          value={consent}
          onChange={(value) => setConsent(value === 'opt-in' ? 'opt-in' : 'opt-out')}
        >
          <Group gap="lg" mt={6}>
            <Radio value="opt-in" label="They agree to messages" />
            <Radio value="opt-out" label="They want no messages" />
          </Group>
        </Radio.Group>
        {opted_out_at !== null && consent === 'opt-in' && (
          <Text size="xs" className={classes.warning}>
            Only when they have changed their mind since: from then on the bot writes to them again.
          </Text>
        )}
        <TextInput
          ref={field}
          label="Where you have it from"
          placeholder="Form on our page, 3 May"
          required
          maxLength={500}
          value={source}
          onChange={(event) => setSource(event.currentTarget.value)}
        />
        {problem && (
          <Alert color="red" title="It was not recorded">
            {problem}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Record
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Newest first. Entries are never changed or taken out. */
function Ledger({ phone }: { phone: string }) {
  const { data, error, refetch } = useQuery({ queryKey: ['consents', phone], queryFn: () => consents(phone) });
  return (
    <section aria-labelledby="recorded">
      <Text component="h2" size="sm" fw={600} id="recorded">
        Recorded so far
      </Text>
      {error && !data && <Problem message={problemOf(error)} onRetry={() => void refetch()} />}
      {!error && !data && <Waiting />}
      {data?.consents.length === 0 && (
        <Text size="sm" className={classes.quiet}>
          Nothing yet. STOP and START in their messages are recorded automatically.
        </Text>
      )}
      <ul className={classes.entries}>
        {data?.consents.map((entry) => (
          <li key={`${entry.at} ${entry.consent} ${entry.source}`} className={classes.entry}>
            <Tag tone={MEANING[entry.consent].tone}>{meaningOf(entry)}</Tag>
            <p className={classes.source}>{entry.source}</p>
            <Text size="xs" className={classes.quiet}>
              <time dateTime={entry.at}>{minuteOf(entry.at)}</time>,{' '}
              {entry.about === 'marketing' ? 'as WhatsApp told us' : CAUSES[entry.cause]}
            </Text>
          </li>
        ))}
      </ul>
    </section>
  );
}
