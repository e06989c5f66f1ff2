import { Button, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { type DragEvent, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Task } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { Tag, type Tone } from './Tag.tsx';
import { conversationOf } from './TaskDialog.tsx';
import classes from './Tasks.module.css';
import { dueDay, inWords, PRIORITIES, today } from './words.ts';

interface TaskCardProps {
  task: Task;
  onEdit: () => void;
  onMove: (to: Task['status']) => Promise<void>;
  onDragStart: (event: DragEvent) => void;
}

/** A card of the board: the title opens it, buttons move it on; it can be dragged too. */
export function TaskCard({ task, onEdit, onMove, onDragStart }: TaskCardProps) {
  const card = useRef<HTMLLIElement>(null);
  const [moving, setMoving] = useState(false);
  const { title, description, task_type, priority, status, due_date, phone_number, contact_name } = task;
  const from = conversationOf(task);
  async function move(to: Task['status']): Promise<void> {
    setMoving(true);
    // This card leaves the column, and the focus goes on to the next one.
    const neighbour = card.current?.nextElementSibling ?? card.current?.previousElementSibling;
    const column = card.current?.closest('section');
    await onMove(to);
    setMoving(false);
    if (document.activeElement === document.body || card.current?.contains(document.activeElement))
      (neighbour?.querySelector('button') ?? column)?.focus();
  }

  return (
    <li ref={card} className={classes.card} data-priority={priority} draggable onDragStart={onDragStart}>
      <UnstyledButton className={classes.cardTitle} onClick={onEdit}>
        {title}
        <VisuallyHidden> (change)</VisuallyHidden>
      </UnstyledButton>
      {description !== '' && <p className={classes.description}>{description}</p>}
      <div className={classes.badges}>
        <Tag tone={PRIORITY_TONES[priority] ?? 'plain'} title={PRIORITIES[priority - 1]}>
          P{priority}
        </Tag>
        <Tag tone="info">{inWords(task_type)}</Tag>
        <Due day={due_date} open={status === 'pending' || status === 'in_progress'} />
        {task.created_by === 'analysis' && <Tag tone="outline">from a message</Tag>}
      </div>
      <div className={classes.foot}>
        {from ? (
          <Link href={from} className={classes.contact}>
            <Icon name="person" size={14} />
            <span>{contact_name || phone_number}</span>
          </Link>
        ) : (
          <span />
        )}
        <span className={classes.moves}>
          {STEPS[status].map(({ to, word }) => (
            <Button
              key={to}
              size="compact-sm"
              variant={to === 'completed' ? 'light' : 'subtle'}
              color={to === 'completed' ? 'teal' : 'gray'}
              disabled={moving}
              aria-label={`${word}: ${title}`}
              onClick={() => void move(to)}
            >
              {word}
            </Button>
          ))}
        </span>
      </div>
    </li>
  );
}

const PRIORITY_TONES: Record<number, Tone> = { 1: 'bad', 2: 'warn' };

const STEPS: Record<Task['status'], { to: Task['status']; word: string }[]> = {
  pending: [
    { to: 'in_progress', word: 'Start' },
    { to: 'completed', word: 'Done' },
  ],
  in_progress: [
    { to: 'pending', word: 'Put back' },
    { to: 'completed', word: 'Done' },
  ],
  completed: [{ to: 'pending', word: 'Reopen' }],
  cancelled: [{ to: 'pending', word: 'Reopen' }],
};

function Due({ day, open }: { day: string | null; open: boolean }) {
  if (day === null) return null;
  const overdue = open && day < today();
  const now = open && day === today();
  return (
    <Tag tone={overdue ? 'alarm' : now ? 'warn' : 'plain'}>
      {overdue ? 'Overdue, ' : now ? 'Today, ' : 'Due '}
      {dueDay(day)}
    </Tag>
  );
}
