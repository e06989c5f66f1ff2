import { Alert, Button, Group, Modal, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link } from 'wouter';
import type { Conversation, Task } from '../../inbox/contract.ts';
import { createTask, taskTypes, updateTask } from './api.ts';
import { threadPath } from './paths.ts';
import { inWords, nameOf, PRIORITIES, problemOf, TASK_STATES } from './words.ts';

interface TaskDialogProps {
  /** To be changed; a new one without. */
  task?: Task;
  /** Whom a new one is about. */
  about?: Pick<Conversation, 'phone_number' | 'contact_name'>;
  onClose: () => void;
}

/** A task, to be written or changed. */
export function TaskDialog({ task, about, onClose }: TaskDialogProps) {
  const queries = useQueryClient();
  const [fields, setFields] = useState({
    title: task?.title ?? '',
    description: task?.description ?? '',
    task_type: task?.task_type ?? 'general',
    priority: task?.priority ?? 3,
    due_date: task?.due_date ?? '',
    status: task?.status ?? 'pending',
  });
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<typeof fields>) => setFields((all) => ({ ...all, ...part }));
  const types = useTaskTypes(fields.task_type);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    const { status, ...rest } = { ...fields, due_date: fields.due_date === '' ? null : fields.due_date };
    try {
      if (task) await updateTask(task.id, { ...rest, ...(status === task.status ? {} : { status }) });
      else await createTask({ ...rest, ...(about ? { phone_number: about.phone_number } : {}) });
      await Promise.all(
        ['tasks', 'thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })),
      );
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={task ? 'Task' : about ? `New task about ${nameOf(about)}` : 'New task'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={save}>
        <Stack gap="sm">
          <TextInput
            label="Title"
            required
            maxLength={255}
            data-autofocus
            value={fields.title}
            onChange={(event) => change({ title: event.currentTarget.value })}
          />
          <Textarea
            label="Description"
            autosize
            minRows={3}
            maxRows={10}
            maxLength={5_000}
            value={fields.description}
            onChange={(event) => change({ description: event.currentTarget.value })}
          />
          <Group grow>
            <NativeSelect
              label="Type"
              data={types.map((value) => ({ value, label: inWords(value) }))}
              value={fields.task_type}
              onChange={(event) => change({ task_type: event.currentTarget.value })}
            />
            <NativeSelect
              label="Priority"
              data={PRIORITIES.map((label, i) => ({ value: String(i + 1), label }))}
              value={String(fields.priority)}
              onChange={(event) => change({ priority: Number(event.currentTarget.value) })}
            />
          </Group>
          <Group grow align="flex-end">
            <TextInput
              label="Due"
              type="date"
              value={fields.due_date}
              onChange={(event) => change({ due_date: event.currentTarget.value })}
            />
            {task && (
              <NativeSelect
                label="Status"
                data={TASK_STATES.map(({ status: value, word: label }) => ({ value, label }))}
                value={fields.status}
                onChange={(event) => {
                  const chosen = TASK_STATES.find(({ status }) => status === event.currentTarget.value);
                  if (chosen) change({ status: chosen.status });
                }}
              />
            )}
          </Group>
          {task?.phone_number && (
            <Text size="sm">
              About <Link href={conversationOf(task) ?? '/'}>{task.contact_name || task.phone_number}</Link>
              {task.created_by === 'analysis' && ', made from what they wrote'}
            </Text>
          )}
          {problem && (
            <Alert color="red" title="It was not saved">
              {problem}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** The types to choose from: the operator's own, or those of the analysis; and the one that is chosen. */
export function useTaskTypes(chosen: string): string[] {
  const known = useQuery({ queryKey: ['task-types'], queryFn: taskTypes }).data?.task_types ?? [];
  return [...new Set([...known, chosen].filter((type) => type !== ''))];
}

/** The conversation a task comes from; null when there is none. */
export function conversationOf({ phone_number, message_id }: Task): string | null {
  if (phone_number === null) return null;
  return threadPath({ phone: phone_number }, message_id ? { message: message_id } : {});
}
