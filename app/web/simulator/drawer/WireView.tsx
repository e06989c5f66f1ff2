import { type ReactNode, useMemo } from 'react';
import type { Delivery, PageEvent } from '../../../simulator/contract.ts';
import { exactClock, took } from '../../parts/time.ts';
import { Nothing } from './Nothing.tsx';
import { type Stages, type WireEntry, type WireGroup, wireGroups } from './timeline.ts';
import classes from './WireView.module.css';

/** Every request between the simulator and the bot, by message, the newest message first; each request opens to what was sent. */
export function WireView({ log }: { log: readonly PageEvent[] }) {
  const groups = useMemo(() => wireGroups(log).reverse(), [log]);
  if (groups.length === 0) return <Nothing>What goes over the wire appears here, as soon as you write.</Nothing>;
  return groups.map((group) => <Group key={group.key} group={group} />);
}

function Group({ group: { at, messages, entries } }: { group: WireGroup }) {
  const [first = ''] = messages;
  const title = messages.length > 1 ? `${messages.length} messages in a row: ${messages.join(' · ')}` : first;
  return (
    <section className={classes.group}>
      {title !== '' && (
        <h3 dir="auto" title={title}>
          {title}
        </h3>
      )}
      <ol className={classes.wire} aria-label={`Requests from ${exactClock(at)} on`}>
        {entries.map((entry) => (
          <li key={entry.key}>
            <Entry entry={entry} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Entry({ entry }: { entry: WireEntry }) {
  switch (entry.kind) {
    case 'webhook':
      return <Webhook entry={entry} />;
    case 'model':
      return <ModelCall entry={entry} />;
    case 'answer':
      return <Answer entry={entry} />;
    case 'typing':
      return (
        <Row
          way="in"
          at={entry.at}
          title={entry.provider === 'meta' ? 'POST …/messages, read' : 'Typing.json'}
          note="shows “typing…”, marks it as read"
        />
      );
    case 'fetched':
      return <Row way="in" at={entry.at} {...FETCHED[entry.provider][entry.step]} status={entry.status} />;
    case 'routed':
      return <Routed entry={entry} />;
    case 'forgotten':
      return <Row way="none" at={entry.at} title="Forgotten" note="nothing is remembered of this person" />;
  }
}

const FETCHED = {
  twilio: {
    api: { title: 'GET …/Media/ME…', note: 'with the account’s password, redirects' },
    cdn: { title: 'GET the CDN', note: 'without a password' },
  },
  meta: {
    api: { title: 'GET /{media-id}', note: 'where the file is, for five minutes' },
    cdn: { title: 'GET the file', note: 'with the token, too' },
  },
};

function Routed({ entry: { at, other, delivery } }: { entry: Extract<WireEntry, { kind: 'routed' }> }) {
  if (!delivery) {
    const note = other ? 'messages come as standby' : 'the bot has taken the thread';
    return <Row way="none" at={at} title={other ? 'Another responder answers' : 'The bot answers'} note={note} />;
  }
  const { response, failure, ms } = delivery;
  const status = response?.status ?? failure ?? 'lost';
  return (
    <Row way="out" at={at} title="POST /webhook" note="the control is passed to the bot" status={status} ms={ms}>
      <Sent delivery={delivery} />
    </Row>
  );
}

/** What was posted, as it was signed. */
function Sent({ delivery: { body, fields, signature, signedUrl } }: { delivery: Delivery }) {
  if (body === undefined) {
    const signed = { 'X-Twilio-Signature': signature, ...fields };
    return <Fields title={`Form, signed over ${signedUrl}`} fields={signed} />;
  }
  return (
    <>
      <Fields title="Signed over the bytes" fields={{ 'X-Hub-Signature-256': signature }} />
      <Raw title="Body" text={JSON.stringify(JSON.parse(body), null, 2)} />
    </>
  );
}

function Webhook({
  entry: { at, provider, attempt, preview, delivery, stages },
}: {
  entry: Extract<WireEntry, { kind: 'webhook' }>;
}) {
  const status = delivery?.response?.status ?? null;
  const path = provider === 'meta' ? '/webhook' : '/whatsapp';
  const title = `POST ${path}${attempt > 1 ? `, delivery ${attempt}` : ''}`;
  if (!delivery) return <Row way="out" at={at} title={title} note={`${preview} · under way…`} />;
  return (
    <Row
      way="out"
      at={at}
      title={title}
      note={preview}
      status={status ?? delivery.failure ?? 'lost'}
      ms={delivery.ms}
      bar={stages}
    >
      {stages && <StageBar {...stages} />}
      <Sent delivery={delivery} />
      {delivery.response && (
        <Raw
          title={`Response: ${status} ${delivery.response.contentType}`}
          text={delivery.response.body || '(empty)'}
        />
      )}
    </Row>
  );
}

function ModelCall({ entry: { at, asked, replied } }: { entry: Extract<WireEntry, { kind: 'model' }> }) {
  const tokens = replied?.tokens;
  const title =
    asked.purpose === 'speech'
      ? 'Speech to text'
      : asked.purpose === 'summary'
        ? 'Model: roll into the summary'
        : `Model: ${asked.model}`;
  const note = tokens
    ? `${tokens.prompt} + ${tokens.completion} tokens${tokens.cached ? `, ${tokens.cached} cached` : ''}`
    : asked.purpose === 'speech'
      ? (asked.messages[0]?.text ?? '')
      : `${asked.messages.length} messages`;
  return (
    <Row way="model" at={at} title={title} note={note} status={replied?.status} ms={replied?.ms}>
      {replied && <Raw title="It said" text={replied.text || '(nothing)'} />}
    </Row>
  );
}

const ANSWERS = { twiml: 'TwiML <Message>', rest: 'POST …/Messages.json', graph: 'POST …/messages' };

function Answer({ entry: { at, answer, states } }: { entry: Extract<WireEntry, { kind: 'answer' }> }) {
  const last = states.at(-1);
  return (
    <Row way="in" at={at} title={ANSWERS[answer.via]} note={last ? last.state : 'queued'}>
      {answer.request && <Fields title={answer.via === 'graph' ? 'JSON' : 'Form'} fields={answer.request} />}
      <Raw title="Text" text={answer.text} />
      {states.length > 0 && (
        <ul className={classes.states}>
          {states.map(({ state, at: when, told }) => (
            <li key={state}>
              {exactClock(when)} {state}
              {told !== undefined && ` · status posted: ${told ?? 'no answer'}`}
            </li>
          ))}
        </ul>
      )}
    </Row>
  );
}

interface RowProps {
  /** To the bot, from it, between it and the model. */
  way: 'out' | 'in' | 'model' | 'none';
  at: number;
  title: string;
  note: string;
  status?: number | string | undefined;
  ms?: number | undefined;
  /** Where the time went, for a look. */
  bar?: Stages | null;
  children?: ReactNode;
}

const WAYS = {
  out: ['→', 'to the bot'],
  in: ['←', 'from the bot'],
  model: ['⇄', 'bot and model'],
  none: ['·', ''],
} as const;

function Row({ way, at, title, note, status, ms, bar, children }: RowProps) {
  const [arrow, meaning] = WAYS[way];
  const head = (
    <>
      <span className={classes.way} data-way={way} title={meaning}>
        {arrow}
      </span>
      <span className={classes.what}>
        <strong>{title}</strong>
        <span>{note}</span>
        {bar && <Bar parts={partsOf(bar)} />}
      </span>
      <span className={classes.figures}>
        {status !== undefined && (
          <span className={classes.chip} data-good={isGood(status)}>
            {status === 0 ? 'given up' : status}
          </span>
        )}
        <span>{ms === undefined ? exactClock(at).slice(0, 12) : took(ms)}</span>
      </span>
    </>
  );
  if (!children) return <div className={classes.row}>{head}</div>;
  return (
    <details className={classes.entry}>
      <summary className={classes.row}>{head}</summary>
      <div className={classes.inside}>
        <small>{exactClock(at)}</small>
        {children}
      </div>
    </details>
  );
}

function isGood(status: number | string): boolean {
  return typeof status === 'number' && status >= 200 && status < 400;
}

/** Where the time went, to scale, with its names. */
function StageBar(stages: Stages) {
  const parts = partsOf(stages);
  return (
    <div className={classes.stages}>
      <Bar parts={parts} />
      <ul>
        {parts.map(({ name, ms, tone }) => (
          <li key={tone}>
            <i data-tone={tone} aria-hidden="true" /> {name} <b>{took(ms)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

function partsOf({ before, model, after }: Stages) {
  return [
    { name: 'check, store, read files', ms: before, tone: 'before' },
    { name: 'model', ms: model, tone: 'model' },
    { name: 'commit, answer', ms: after, tone: 'after' },
  ];
}

function Bar({ parts }: { parts: ReturnType<typeof partsOf> }) {
  return (
    <span className={classes.bar} aria-hidden="true">
      {parts.map(({ tone, ms }) => (
        <i key={tone} data-tone={tone} style={{ flexGrow: Math.max(ms, 1) }} />
      ))}
    </span>
  );
}

function Fields({ title, fields }: { title: string; fields: Record<string, string> }) {
  return (
    <>
      <h3>{title}</h3>
      <dl className={classes.fields}>
        {Object.entries(fields).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Raw({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h3>{title}</h3>
      <pre className={classes.raw}>{text}</pre>
    </>
  );
}
