import { Anchor } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Message } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import classes from './Analysis.module.css';
import { retryAnalyses } from './api.ts';
import { Tag } from './Tag.tsx';
import { capitalised, dueDay, inWords, problemOf, sentimentInWords } from './words.ts';

/** What the model made of a message, beside it. */
export function Analysis({ message }: { message: Message }) {
  const queries = useQueryClient();
  async function again(): Promise<void> {
    try {
      await retryAnalyses(message.id);
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    await Promise.all(['thread', 'failed-analyses'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  }
  const { analysis_status: status, ai_summary, ai_sentiment, ai_intent, language, task } = message;
  if (message.direction === 'outbound' || status === null || status === 'skipped')
    return <TaskLine task={task} alone />;
  if (status === 'failed') {
    return (
      <aside className={classes.note} aria-label="Analysis">
        <span className={classes.quiet}>
          It could not be analysed. {message.processing_error}{' '}
          <Anchor component="button" type="button" size="xs" onClick={() => void again()}>
            Analyse again
          </Anchor>
        </span>
        <TaskLine task={task} />
      </aside>
    );
  }
  if (status !== 'completed') {
    return (
      <aside className={classes.note} aria-label="Analysis">
        <span className={classes.quiet}>{status === 'processing' ? 'Being analysed…' : 'Waits for its analysis'}</span>
      </aside>
    );
  }
  const mood = ai_sentiment && sentimentInWords(ai_sentiment);
  return (
    <aside className={classes.note} aria-label="Analysis" data-mood={ai_sentiment ?? 'neutral'}>
      <p className={classes.summary}>
        <Icon name="spark" size={13} /> <bdi>{ai_summary}</bdi>
      </p>
      <div className={classes.badges}>
        {mood && <Tag tone={mood.tone}>{mood.word}</Tag>}
        {ai_intent && (
          <Tag tone="plain" title="What they want">
            {inWords(ai_intent)}
          </Tag>
        )}
        {language && (
          <Tag tone="outline" title="Language">
            {language}
          </Tag>
        )}
      </div>
      <Entities entities={message.extracted_entities} />
      <TaskLine task={task} />
    </aside>
  );
}

/** In this order; the operator's own follow. */
const USUAL = ['people', 'companies', 'dates', 'amounts', 'products'];

function Entities({ entities }: { entities: Message['extracted_entities'] }) {
  const kinds = Object.keys(entities ?? {});
  const inOrder = [...new Set([...USUAL, ...kinds])].map((kind) => [kind, entities?.[kind] ?? []] as const);
  const found = inOrder.filter(([, words]) => words.length > 0);
  if (found.length === 0) return null;
  return (
    <dl className={classes.entities}>
      {found.map(([kind, words]) => (
        <div key={kind}>
          <dt>{capitalised(inWords(kind))}</dt>
          <dd>{words.join(', ')}</dd>
        </div>
      ))}
    </dl>
  );
}

function TaskLine({ task, alone = false }: { task: Message['task']; alone?: boolean }) {
  if (!task) return null;
  const done = task.status === 'completed' || task.status === 'cancelled';
  return (
    <Link href={`/tasks?task=${task.id}`} className={classes.task} data-alone={alone}>
      <Icon name={done ? 'check' : 'board'} size={16} />
      <span>
        <strong data-done={done}>{task.title}</strong>
        <small>
          {inWords(task.task_type)} · priority {task.priority}
          {task.due_date && ` · due ${dueDay(task.due_date)}`}
          {done && ` · ${task.status === 'completed' ? 'done' : 'cancelled'}`}
        </small>
      </span>
    </Link>
  );
}
