import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { PageEvent, SimulatedPerson, StoredKey } from '../../../simulator/contract.ts';
import { Icon } from '../../parts/Icon.tsx';
import { clock } from '../../parts/time.ts';
import * as api from '../api.ts';
import classes from './MemoryView.module.css';
import { Nothing } from './Nothing.tsx';

interface MemoryViewProps {
  person: SimulatedPerson;
  log: readonly PageEvent[];
}

/** What Redis holds for this person, fetched again after every event. */
export function MemoryView({ person: { contact }, log }: MemoryViewProps) {
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ['memory', contact, log.at(-1)?.id],
    queryFn: () => api.memory(contact),
    placeholderData: (before) => before,
  });
  if (error) return <Nothing>{error.message}</Nothing>;
  if (!data) return <Nothing>Looking…</Nothing>;
  const state = fieldsOf(data.keys.find(({ name }) => name === 'state'));
  return (
    <div className={classes.memory}>
      <Button
        className={classes.refresh}
        size="compact-sm"
        variant="subtle"
        loading={isFetching}
        leftSection={<Icon name="repeat" size={14} />}
        onClick={() => void refetch()}
      >
        Look again
      </Button>
      {data.keys.length === 0 && <Nothing>Redis holds nothing for this person.</Nothing>}
      {data.keys.length > 0 && (
        <section>
          <h3>Summary {state.version ? `(version ${state.version})` : ''}</h3>
          <p className={classes.summary}>
            {state.summary || 'None yet: the history is short enough to be shown whole.'}
          </p>
        </section>
      )}
      {data.keys.map((key) => (
        <Key key={key.key} stored={key} />
      ))}
    </div>
  );
}

function Key({ stored }: { stored: StoredKey }) {
  const { name, key, type, ttlMs, value } = stored;
  const count = Array.isArray(value)
    ? value.length
    : typeof value === 'object' && value !== null
      ? Object.keys(value).length
      : 1;
  return (
    <details className={classes.key} open={name === 'history'}>
      <summary>
        <strong>{name}</strong>
        <span>
          {type}, {count} {count === 1 ? 'entry' : 'entries'} · {goes(ttlMs)}
        </span>
      </summary>
      <code className={classes.name}>{key}</code>
      {name === 'history' && Array.isArray(value) ? (
        <History lines={value} />
      ) : (
        <pre>{JSON.stringify(value, null, 2)}</pre>
      )}
    </details>
  );
}

function History({ lines }: { lines: unknown[] }) {
  return (
    <ol className={classes.history}>
      {lines.map((line, i) => {
        const { role, text, at, tokens, apology } = lineOf(line);
        return (
          <li key={String(i)}>
            <span>
              <strong>{role}</strong> {clock(at)} · {tokens} tokens{apology ? ' · apology, not shown to the model' : ''}
            </span>
            {text}
          </li>
        );
      })}
    </ol>
  );
}

/** A line as `message.ts` has it; missing fields are shown as empty. */
function lineOf(line: unknown): { role: string; text: string; at: number; tokens: number; apology: boolean } {
  const fields = typeof line === 'object' && line !== null ? Object.entries(line) : [];
  const of = (name: string): unknown => fields.find(([field]) => field === name)?.[1];
  return {
    role: String(of('role')),
    text: String(of('text')),
    at: Number(of('at')),
    tokens: Number(of('tokens')),
    apology: of('apology') === true,
  };
}

function fieldsOf(key: StoredKey | undefined): Record<string, string> {
  const { value } = key ?? {};
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, String(field)]));
}

function goes(ttlMs: number | null): string {
  if (ttlMs === null) return 'stays';
  const minutes = ttlMs / 60_000;
  if (minutes < 2) return `goes in ${Math.ceil(ttlMs / 1_000)} s`;
  return minutes < 2_880 ? `goes in ${Math.round(minutes / 60)} h` : `goes in ${Math.round(minutes / 1_440)} days`;
}
