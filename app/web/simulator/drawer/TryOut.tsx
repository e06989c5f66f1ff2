import { Button, SegmentedControl, Slider, Stack, Switch, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Faults, Provider, SimulatedPerson } from '../../../simulator/contract.ts';
import { Icon, type IconName } from '../../parts/Icon.tsx';
import * as api from '../api.ts';
import type { PhoneState } from '../phones.ts';
import classes from './TryOut.module.css';

interface TryOutProps {
  person: SimulatedPerson;
  /** Whose number they write to. */
  provider: Provider;
  phone: PhoneState;
}

/** The dots tell the practice model to take its time, as a real one would: else it might answer the first before the last has come. */
const BURST = ['Hi …', 'one question …', 'about my order …', 'it has not arrived …', 'can you help me? …'];
const REVERSED = [
  'First I tell you: my favourite colour is green',
  'And this is the second message, but it overtook the first',
];

/** What a network does to a bot, by hand. */
export function TryOut({ person, provider, phone }: TryOutProps) {
  const lastSid = phone.messages.findLast(({ mine }) => mine)?.sid;
  const messages = (texts: string[]) => texts.map((text) => ({ ...person, to: provider, text }));
  const say = (text: string) => api.writeAll({ messages: messages([text]), order: 'together' });
  return (
    <Stack gap="lg">
      <Part title="Deliver">
        <Act
          icon="repeat"
          name="Deliver the last message again"
          note="the last message, with the same id: it must not be answered twice"
          done="Delivered again. The phone gets no second answer: the bot knew the id. The Wire tab shows both deliveries."
          disabled={!lastSid}
          act={() => api.repeat(lastSid ?? '')}
        />
        <Act
          icon="shuffle"
          name="Out of order"
          note="two messages, the second arrives first"
          done="Sent. The second message arrived first; the bot answers both. The Wire tab shows when each arrived."
          act={() => api.writeAll({ messages: messages(REVERSED), order: 'reversed' })}
        />
        <Act
          icon="text"
          name="Five in a burst"
          note="gets one answer"
          done="Five messages were sent at once. The bot waits for them and answers all with one message."
          act={() => api.writeAll({ messages: messages(BURST), order: 'together' })}
        />
      </Part>
      <Part title="Rules">
        <Act
          icon="person"
          name="Call a person"
          note="the bot calls the team, and is silent"
          done="Sent. The bot is silent until somebody answers: the inbox has the conversation under “Waiting for a person”."
          act={() => say('human')}
        />
        <Act
          icon="alarm"
          name="Complain"
          note="the model calls the team by itself"
          done="Sent. The practice model has called the team, with a reason and a summary."
          act={() => say('This is unacceptable, my order is late again')}
        />
        <Act
          icon="close"
          name="Write STOP"
          note="one confirmation, then no more messages"
          done="Sent. After the confirmation nothing goes out to this phone, whoever writes it."
          act={() => say('STOP')}
        />
        <Act
          icon="check"
          name="Write START"
          note="ends a STOP"
          done="Sent. After a STOP they get messages again."
          act={() => say('START')}
        />
      </Part>
      {provider === 'meta' && <Routing person={person} others={phone.others} />}
      <FaultSwitches provider={provider} />
      <Forget person={person} />
    </Stack>
  );
}

/** Who owns the thread, where a number may have several responders. */
function Routing({ person, others }: { person: SimulatedPerson; others: boolean }) {
  const { mutate, isPending } = useMutation({
    mutationFn: (other: boolean) => api.route({ contact: person.contact, other }),
    onError: showProblem,
  });
  return (
    <Part title="Conversation routing">
      <Switch
        label="Another responder answers, such as Meta’s Business Agent"
        checked={others}
        disabled={isPending}
        onChange={(event) => mutate(event.currentTarget.checked)}
      />
      <Text size="sm" c="var(--wa-muted)">
        {others
          ? 'What they write comes to the bot as “standby”. Switched off, the control is passed to the bot, with a summary.'
          : 'The bot owns the thread: what they write comes as “messages”.'}
      </Text>
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.part}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

interface ActProps {
  icon: IconName;
  name: string;
  note: string;
  /** What has happened, in words. */
  done: string;
  disabled?: boolean;
  act: () => Promise<unknown>;
}

function Act({ icon, name, note, done, disabled = false, act }: ActProps) {
  const { mutate, isPending, isSuccess } = useMutation({ mutationFn: act, onError: showProblem });
  return (
    <div className={classes.act}>
      <Button
        variant="default"
        leftSection={<Icon name={icon} size={16} />}
        disabled={disabled}
        loading={isPending}
        onClick={() => mutate()}
      >
        {name}
      </Button>
      <span role="status">{isSuccess ? done : note}</span>
    </div>
  );
}

const MODELS: { value: Faults['model']; label: string; note: string; metaNote?: string }[] = [
  { value: 'well', label: 'Well', note: 'Requests go through as they are.' },
  {
    value: 'slow',
    label: 'Slow',
    note: 'After 12 s the webhook is answered empty, “typing…” appears, and the answer comes by REST.',
    metaNote: 'The webhook is answered at once, “typing…” appears, and the answer comes later.',
  },
  { value: 'down', label: 'Down', note: '503 for every request: the bot tries on for a minute, then apologises.' },
  {
    value: 'refusing',
    label: 'Refusing',
    note: '401 for every request: not worth another try, so the apology comes at once.',
  },
];

function FaultSwitches({ provider }: { provider: Provider }) {
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: ['faults'], queryFn: api.faults });
  const { mutate } = useMutation({
    mutationFn: api.setFaults,
    onSuccess: (now) => queries.setQueryData(['faults'], now),
    onError: showProblem,
  });
  if (!data) return null;
  const chosen = MODELS.find(({ value }) => value === data.model);
  return (
    <>
      <Part title="Model">
        <SegmentedControl
          fullWidth
          aria-label="Model"
          data={MODELS.map(({ value, label }) => ({ value, label }))}
          value={data.model}
          onChange={(value) =>
            mutate({ ...data, model: MODELS.find((model) => model.value === value)?.value ?? 'well' })
          }
        />
        <Text size="sm" c="var(--wa-muted)">
          {provider === 'meta' ? (chosen?.metaNote ?? chosen?.note) : chosen?.note}
        </Text>
        {data.model === 'slow' && (
          <SlowBy key={data.slowMs} slowMs={data.slowMs} onChange={(slowMs) => mutate({ ...data, slowMs })} />
        )}
      </Part>
      <Part title="Files">
        <Switch
          label="Unreachable: 404 for every picture and voice note"
          checked={data.media === 'missing'}
          onChange={(event) => mutate({ ...data, media: event.currentTarget.checked ? 'missing' : 'well' })}
        />
      </Part>
    </>
  );
}

function SlowBy({ slowMs, onChange }: { slowMs: number; onChange: (slowMs: number) => void }) {
  const [seconds, setSeconds] = useState(slowMs / 1_000);
  return (
    <div>
      <Text size="sm">By {seconds} s</Text>
      <Slider
        min={1}
        max={60}
        thumbLabel="Seconds"
        value={seconds}
        onChange={setSeconds}
        onChangeEnd={(value) => onChange(value * 1_000)}
      />
    </div>
  );
}

function Forget({ person }: { person: SimulatedPerson }) {
  const [sure, setSure] = useState(false);
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => api.forget(person.contact),
    onError: showProblem,
    async onSuccess() {
      setSure(false);
      await queries.invalidateQueries({ queryKey: ['memory', person.contact] });
    },
  });
  return (
    <Part title="Memory">
      <div className={classes.act}>
        <Button
          variant={sure ? 'filled' : 'outline'}
          color="red"
          className={sure ? undefined : classes.forget}
          leftSection={<Icon name="trash" size={16} />}
          loading={isPending}
          onClick={() => (sure ? mutate() : setSure(true))}
          onBlur={() => setSure(false)}
        >
          {sure ? 'Yes, everything' : 'Forget me'}
        </Button>
        <span>deletes what Redis and this phone hold of {person.profileName}</span>
      </div>
    </Part>
  );
}

function showProblem(error: Error): void {
  notifications.show({ color: 'red', message: error.message });
}
