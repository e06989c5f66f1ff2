import { Select } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { PageEvent, ShownMessage } from '../../../simulator/contract.ts';
import { clock, took } from '../../parts/time.ts';
import classes from './ModelView.module.css';
import { Nothing } from './Nothing.tsx';
import { type Asked, modelRequests, type Replied } from './timeline.ts';

/** What the model was shown, message by message, and what it said. */
export function ModelView({ log }: { log: readonly PageEvent[] }) {
  const requests = useMemo(() => modelRequests(log).reverse(), [log]);
  const [chosen, setChosen] = useState<string | null>(null);
  // The newest answer, until somebody chooses: what was asked for it is what most come to see.
  const newest = requests.find(({ asked }) => asked.purpose === 'answer') ?? requests[0];
  const request = requests.find(({ asked }) => asked.ask === chosen) ?? newest;
  if (!request)
    return <Nothing>What the model is shown appears here: the scrubbed messages with what each of them costs.</Nothing>;
  const options = requests.map(({ asked, replied }, i) => ({ value: asked.ask, label: titleOf(asked, replied, i) }));
  return (
    <div className={classes.model}>
      <Select
        label="Request"
        data={options}
        value={request.asked.ask}
        onChange={(value) => setChosen(value === newest?.asked.ask ? null : value)}
        allowDeselect={false}
      />
      <Request {...request} />
    </div>
  );
}

const PURPOSES = {
  answer: 'answer',
  summary: 'roll into the summary',
  analysis: 'analysis',
  speech: 'speech to text',
} as const;

function titleOf(asked: Asked, replied: Replied | null, place: number): string {
  return `${clock(asked.at)} · ${PURPOSES[asked.purpose]}${replied ? ` · ${took(replied.ms)}` : ' · under way'}${place === 0 ? ' · newest' : ''}`;
}

function Request({ asked, replied }: { asked: Asked; replied: Replied | null }) {
  const counted = asked.messages.reduce((sum, { tokens }) => sum + tokens, 0);
  return (
    <>
      <dl className={classes.figures}>
        <Figure name="shown" value={`${asked.messages.length} messages`} />
        <Figure name="counted" value={`${counted} tokens`} />
        <Figure
          name="billed"
          value={replied?.tokens ? `${replied.tokens.prompt} + ${replied.tokens.completion}` : '–'}
        />
        <Figure name="cached" value={replied?.tokens ? String(replied.tokens.cached) : '–'} />
      </dl>
      <ol className={classes.messages} aria-label="What the model was shown">
        {asked.messages.map((message, i) => (
          <Shown key={`${asked.ask}-${String(i)}`} message={message} />
        ))}
        {replied && (
          <Shown
            message={{
              role: asked.purpose === 'summary' ? 'new summary' : 'said',
              text: replied.text,
              pictures: 0,
              tokens: replied.tokens?.completion ?? 0,
            }}
          />
        )}
      </ol>
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Shown({ message: { role, text, pictures, tokens } }: { message: ShownMessage }) {
  return (
    <li className={classes.message} data-role={role}>
      <header>
        <strong>{role}</strong>
        <span>
          {pictures > 0 && `${pictures} picture${pictures > 1 ? 's' : ''} · `}
          {tokens > 0 && `${tokens} tokens`}
        </span>
      </header>
      <pre>{text || '(nothing)'}</pre>
    </li>
  );
}
