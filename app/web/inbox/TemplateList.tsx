import { Text, TextInput, UnstyledButton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { Template } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import classes from './Templates.module.css';
import { filledIn, found, languageInWords, reasonOf, STATES, type Values } from './templates.ts';
import { useTemplates } from './useTemplates.ts';
import { capitalised, problemOf } from './words.ts';

interface TemplateListProps {
  /** Whose templates; undefined: those of all channels. */
  channel: string | undefined;
  onChoose: (template: Template) => void;
  /** Begins in the search field. */
  focused: boolean;
}

const NONE: Values = new Map();

/** An account may have thousands: the search finds the others. */
const MOST = 100;

/** The templates to choose from. Those that cannot be sent are there, too, with the reason. */
export function TemplateList({ channel, onChoose, focused }: TemplateListProps) {
  const { data, error, refetch } = useTemplates(channel);
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  const all = data?.templates ?? [];
  const shown = found(all, search);
  const several = new Set(all.map((template) => template.channel)).size > 1;
  return (
    <div className={classes.choice}>
      <TextInput
        aria-label="Search templates"
        placeholder="Search names and texts"
        leftSection={<Icon name="search" size={16} />}
        ref={field}
        {...(focused ? { 'data-autofocus': true } : {})}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {data?.problems.map(({ channel: name, text }) => (
        <div key={name} className={classes.note} role="alert">
          <strong>The templates of {capitalised(name)} cannot be listed.</strong> {text}
        </div>
      ))}
      {error && !data && <Problem message={problemOf(error)} onRetry={() => void refetch()} />}
      {!error && !data && <Waiting />}
      {data && all.length === 0 && data.problems.length === 0 && (
        <Nothing icon="document" title="There are no templates yet">
          Write one at your provider. WhatsApp looks at it, and when it is approved you can send it from here.
        </Nothing>
      )}
      {all.length > 0 && shown.length === 0 && <Nothing icon="search" title="No template has these words." />}
      {shown.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <ul className={classes.list} aria-label="Templates" tabIndex={0}>
          {shown.slice(0, MOST).map((template) => (
            <li key={`${template.channel} ${template.id}`}>
              <Choice template={template} several={several} onChoose={onChoose} />
            </li>
          ))}
        </ul>
      )}
      {shown.length > MOST && (
        <Text size="xs" className={classes.quiet}>
          The first {MOST} of {shown.length.toLocaleString('en')}. Search to find the others.
        </Text>
      )}
    </div>
  );
}

interface ChoiceProps {
  template: Template;
  /** There are several channels: says which one it belongs to. */
  several: boolean;
  onChoose: (template: Template) => void;
}

function Choice({ template, several, onChoose }: ChoiceProps) {
  const { name, language, category, channel, state, body } = template;
  const kind = [languageInWords(language), capitalised(category), several ? capitalised(channel) : '']
    .filter((word) => word !== '')
    .join(' · ');
  const reason = reasonOf(template);
  const texts = (
    <>
      <span className={classes.name}>
        <strong>{name}</strong>
        <Tag tone={STATES[state].tone}>{STATES[state].word}</Tag>
      </span>
      <small className={classes.quiet}>{kind}</small>
      <span className={classes.body} dir="auto">
        {filledIn(body, NONE)}
      </span>
      {reason !== '' && <small className={classes.reason}>{reason}</small>}
    </>
  );
  if (state !== 'approved') return <div className={classes.refused}>{texts}</div>;
  return (
    <UnstyledButton className={classes.offered} onClick={() => onChoose(template)}>
      {texts}
    </UnstyledButton>
  );
}
