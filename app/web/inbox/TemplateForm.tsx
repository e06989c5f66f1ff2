import { Alert, Button, Group, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { Template } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { TemplatePreview } from './TemplatePreview.tsx';
import classes from './Templates.module.css';
import { buttonOf, LONGEST_VALUE, problemOfValue, templateInWords, variableInWords } from './templates.ts';
import type { SendingProblem } from './useSendTemplate.ts';

interface TemplateFormProps {
  template: Template;
  busy: boolean;
  problem: SendingProblem | null;
  onBack: () => void;
  onSend: (variables: Record<string, string>) => void;
}

/** Fills in a template, with a preview of what the person will read. */
export function TemplateForm({ template, busy, problem, onBack, onSend }: TemplateFormProps) {
  const { variables, id } = template;
  const [values, setValues] = useState<ReadonlyMap<string, string>>(new Map());
  // A sentence under every field that is still empty helps nobody before they have tried to send.
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const wrong = new Map(variables.map((name) => [name, problemOfValue(name, values.get(name) ?? '')]));
  useEffect(() => {
    const field = form.current?.querySelector('input') ?? form.current?.querySelector('button');
    field?.focus();
  }, []);

  useEffect(() => {
    if (!problem) return;
    // The button lost the focus while it was disabled; on a phone, what is said above it may be out of sight.
    end.current?.querySelector('button')?.focus();
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [problem]);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    const first = variables.findIndex((name) => wrong.get(name));
    if (first >= 0) form.current?.querySelectorAll('input')[first]?.focus();
    else if (!busy) onSend(Object.fromEntries(variables.map((name) => [name, values.get(name)?.trim() ?? ''])));
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className={classes.form}>
      <div className={classes.title}>
        <strong>{templateInWords(id, [template]) ?? template.name}</strong>
        <Button variant="subtle" size="compact-sm" leftSection={<Icon name="back" size={16} />} onClick={onBack}>
          Other templates
        </Button>
      </div>
      <div className={classes.columns}>
        <TemplatePreview template={template} values={values} />
        <Stack gap="sm">
          {variables.map((name) => (
            <TextInput
              key={name}
              label={variableInWords(name)}
              description={buttonOf(template, name) && `Of the button “${buttonOf(template, name)}”`}
              required
              maxLength={LONGEST_VALUE}
              autoComplete="off"
              value={values.get(name) ?? ''}
              error={tried ? wrong.get(name) : null}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setValues((before) => new Map(before).set(name, value));
              }}
            />
          ))}
          {variables.length === 0 && <small className={classes.quiet}>There is nothing to fill in.</small>}
        </Stack>
      </div>
      <div ref={end} className={classes.end}>
        {problem && (
          <Alert color="red" title={problem.title}>
            {problem.text}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Send
          </Button>
        </Group>
      </div>
    </form>
  );
}
