import { Alert, Button, FileButton, Group, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Answered, Asked, Template } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { broadcastOptions, createBroadcast, uploadBroadcast } from './api.ts';
import classes from './Broadcasts.module.css';
import { filled, type PeopleList, readPeople } from './broadcast-list.ts';
import { skippedInWords } from './broadcast-words.ts';
import { money } from './money.ts';
import { Problem, Waiting } from './States.tsx';
import { useTemplates } from './useTemplates.ts';
import { minuteOf, problemOf } from './words.ts';

type Options = Answered<'broadcastOptions'>;
type Plan = Answered<'createBroadcast'>;

/** A new broadcast: template, people, time; checked before it is sent. */
export function BroadcastForm() {
  const options = useQuery({ queryKey: ['broadcast-options'], queryFn: broadcastOptions });
  const list = useTemplates(undefined);
  const failed = [options, list].find((one) => one.isError && one.data === undefined);
  if (failed) {
    return <Problem message={failed.error?.message ?? ''} onRetry={() => void failed.refetch()} />;
  }
  if (!options.data || !list.data) return <Waiting />;
  return <Form options={options.data} templates={list.data.templates} problems={list.data.problems} />;
}

interface FormProps {
  options: Options;
  templates: Template[];
  problems: { channel: string; text: string }[];
}

function Form({ options, templates, problems }: FormProps) {
  const { senders, template: usual } = options;
  const [sender, setSender] = useState(0);
  const channel = senders[sender]?.channel;
  const offered = templates.filter((one) => one.channel === channel);
  const [chosen, setChosen] = useState<string | null>(usual);
  const template = offered.find(({ id }) => id === chosen) ?? null;
  const [pasted, setPasted] = useState('');
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const list = file?.text ?? pasted;
  const people = useMemo(() => readPeople(list), [list]);
  const [values, setValues] = useState<Record<string, string>>({});
  const [name, setName] = useState('');
  const [beginsAt, setBeginsAt] = useState('');
  // With a list that has columns, each person has values of their own.
  const asked = people.columns.length === 0 ? (template?.variables ?? []) : [];
  const wish: Wish = {
    ...{ people, template, sender: senders[sender], name, beginsAt },
    variables: Object.fromEntries(asked.map((variable) => [variable, values[variable] ?? ''])),
  };
  // What was checked counts for the form as it was. Lists may be long: they are compared by identity.
  const changes = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of any of them is a change of the form
  const revision = useMemo(() => ++changes.current, [people, template?.id, sender, name, beginsAt, values]);
  return (
    <div className={classes.page}>
      <Link href="/broadcasts" className={classes.back}>
        <Icon name="back" size={16} /> All broadcasts
      </Link>
      <h1 className={classes.title}>New broadcast</h1>
      {problems.map(({ channel: of, text }) => (
        <Alert key={of} color="orange" mt="sm" className={classes.alert}>
          {text}
        </Alert>
      ))}
      {senders.length === 0 && (
        <Alert color="orange" mt="sm" className={classes.alert}>
          No number of ours can send templates.
        </Alert>
      )}
      <div className={classes.compose}>
        <Stack gap="md">
          <Group grow align="flex-start">
            {senders.length > 1 && (
              <Select
                label="From"
                data={senders.map((one, i) => ({ value: String(i), label: labelOf(one) }))}
                value={String(sender)}
                allowDeselect={false}
                onChange={(value) => setSender(Number(value ?? 0))}
              />
            )}
            <Select
              label="Template"
              placeholder="Choose a template"
              searchable
              data={offered.map(({ id, name: title, language, state }) => ({
                value: id,
                label: `${title} (${language})${state === 'approved' ? '' : `: ${state}`}`,
                disabled: state !== 'approved',
              }))}
              value={template?.id ?? null}
              onChange={setChosen}
            />
          </Group>
          <People pasted={pasted} file={file} people={people} onPaste={setPasted} onFile={setFile} />
          {asked.map((variable) => (
            <TextInput
              key={variable}
              label={`Value of {{${variable}}}`}
              description="The same for everybody"
              value={values[variable] ?? ''}
              onChange={(event) => setValues({ ...values, [variable]: event.currentTarget.value })}
            />
          ))}
          <Group grow align="flex-end">
            <TextInput
              label="Name"
              description="For the team"
              value={name}
              maxLength={200}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <TextInput
              label="Begins"
              description={`Time zone: ${options.time_zone}; empty = at once`}
              type="datetime-local"
              value={beginsAt}
              onChange={(event) => setBeginsAt(event.currentTarget.value)}
            />
          </Group>
          {options.quiet_hours !== null && (
            <p className={classes.line}>Nothing is sent from {options.quiet_hours.replace('-', ' to ')}.</p>
          )}
          <Sending key={revision} wish={wish} />
        </Stack>
        <Preview template={template} values={{ ...values, ...people.first }} />
      </div>
    </div>
  );
}

function labelOf({ channel, business_number }: Options['senders'][number]): string {
  return business_number === '' ? channel : `${business_number} (${channel})`;
}

interface PeopleProps {
  pasted: string;
  file: { name: string; text: string } | null;
  people: PeopleList;
  onPaste: (text: string) => void;
  onFile: (file: { name: string; text: string } | null) => void;
}

function People({ pasted, file, people, onPaste, onFile }: PeopleProps) {
  const pick = async (picked: File | null) => onFile(picked && { name: picked.name, text: await picked.text() });
  const description =
    'Numbers with their country code; or CSV whose first line names the columns: number, and one for each variable.';
  return (
    <div>
      {file === null ? (
        <Textarea
          label="People"
          description={description}
          autosize
          minRows={5}
          maxRows={12}
          value={pasted}
          onChange={(event) => onPaste(event.currentTarget.value)}
        />
      ) : (
        <p className={classes.file}>
          <Icon name="document" size={16} /> {file.name}
        </p>
      )}
      <Group gap="xs" mt={6}>
        <FileButton accept=".csv,text/csv,text/plain" onChange={(picked) => void pick(picked)}>
          {(props) => (
            <Button {...props} variant="default" size="xs">
              Choose a CSV file
            </Button>
          )}
        </FileButton>
        {file !== null && (
          <Button variant="subtle" size="xs" onClick={() => onFile(null)}>
            Remove the file
          </Button>
        )}
        {people.lines > 0 && (
          <span className={classes.quiet}>
            {people.lines.toLocaleString('en')} {people.lines === 1 ? 'line' : 'lines'}
          </span>
        )}
      </Group>
    </div>
  );
}

function Preview({ template, values }: { template: Template | null; values: Record<string, string> }) {
  return (
    <section aria-label="Preview" className={classes.preview}>
      <h2 className={classes.subtitle}>Preview</h2>
      {template === null ? (
        <p className={classes.line}>Choose a template to see what people get.</p>
      ) : (
        <div className={classes.bubble}>
          {template.header !== null && <b>{filled(template.header, values, 'header.')}</b>}
          <WhatsAppText text={filled(template.body, values)} />
          {template.footer !== null && <small>{template.footer}</small>}
          {template.buttons.map((title) => (
            <span key={title} className={classes.button}>
              {title}
            </span>
          ))}
        </div>
      )}
    </section>
  );
}

interface Wish {
  people: PeopleList;
  template: Template | null;
  sender: Options['senders'][number] | undefined;
  name: string;
  beginsAt: string;
  variables: Record<string, string>;
}

/** Checks first; what was checked is sent. A change of the form begins anew. */
function Sending({ wish }: { wish: Wish }) {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [plan, setPlan] = useState<Plan | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const isReady = wish.template !== null && wish.people.csv !== '';

  async function act(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const made = await post(wish, plan === null);
      if (plan === null) setPlan(made);
      else {
        await queries.invalidateQueries({ queryKey: ['broadcasts'] });
        navigate(`/broadcasts/${made.id}`);
      }
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  }

  return (
    <form onSubmit={(event) => void act(event)}>
      <div role="status">{plan && <PlanInWords plan={plan} />}</div>
      {problem !== null && (
        <Alert color="red" role="alert" mb="sm" className={classes.alert}>
          {problem}
        </Alert>
      )}
      <Button type="submit" loading={busy} disabled={!isReady || plan?.counts.waiting === 0}>
        {plan === null ? 'Check' : `Send to ${peopleInWords(plan.counts.waiting)}`}
      </Button>
    </form>
  );
}

function peopleInWords(count: number): string {
  return count === 1 ? '1 person' : `${count.toLocaleString('en')} people`;
}

function post({ people, template, sender, name, beginsAt, variables }: Wish, isDryRun: boolean): Promise<Plan> {
  const common: Omit<Asked<'uploadBroadcast'>, 'dry_run'> = {
    ...(template && { template: template.id }),
    ...(sender && { channel: sender.channel }),
    ...(sender?.business_number && { business_number: sender.business_number }),
    ...(name.trim() !== '' && { name }),
    ...(beginsAt !== '' && { schedule_at: beginsAt }),
  };
  if (Object.keys(variables).length === 0)
    return uploadBroadcast(people.csv, { ...common, dry_run: isDryRun ? 'true' : 'false' });
  const numbers = people.csv.split('\n').slice(1);
  return createBroadcast({ ...common, dry_run: isDryRun, numbers, variables });
}

function PlanInWords({ plan }: { plan: Plan }) {
  const { counts, total, skipped_reasons, skipped_rows, estimated_cost: cost, starts_at } = plan;
  return (
    <div className={classes.plan}>
      <p>
        <b>{counts.waiting.toLocaleString('en')}</b> of {total.toLocaleString('en')} get the message. It begins{' '}
        {Date.parse(starts_at) > Date.now() ? minuteOf(starts_at) : 'at once'}.
      </p>
      {counts.skipped > 0 && <p>Skipped: {skippedInWords(skipped_reasons)}.</p>}
      {skipped_rows.length > 0 && (
        <ul>
          {skipped_rows.slice(0, 5).map(({ position, number, note }) => (
            <li key={position}>
              {position}: {number === '' ? '(empty)' : number} – {note}
            </li>
          ))}
        </ul>
      )}
      <p>
        {cost === null
          ? 'There is no price for these messages: see MODEL_PRICES.'
          : `It costs about ${money(cost.amount, cost.currency)}.`}
      </p>
    </div>
  );
}
