import { Anchor, Button, ScrollArea, Text, Title, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { Provider, SimulatedPerson } from '../../simulator/contract.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { ColorSchemeSwitch } from '../parts/ColorSchemeSwitch.tsx';
import { Icon } from '../parts/Icon.tsx';
import { clock } from '../parts/time.ts';
import { NewPerson } from './NewPerson.tsx';
import classes from './PeopleList.module.css';
import { chatOf, type PhoneState, type Phones } from './phones.ts';
import { shownContact } from './usePeople.ts';

export interface CastProps {
  people: readonly SimulatedPerson[];
  /** Whose number they write to. */
  provider: Provider;
  phones: Phones;
  chosen: SimulatedPerson;
  onChoose: (contact: string) => void;
  onAdd: (person: SimulatedPerson) => void;
}

/** Whose phone to hold. */
export function PeopleList({ people, provider, phones, chosen, onChoose, onAdd }: CastProps) {
  const [adding, { open, close }] = useDisclosure(false);
  return (
    <div className={classes.list}>
      <header className={classes.head}>
        <div>
          <Title order={1} size="h3">
            Recado
          </Title>
          <Text size="sm" c="var(--wa-muted)">
            Whose phone do you hold?
          </Text>
        </div>
        <ColorSchemeSwitch />
      </header>
      <ScrollArea className={classes.scroll} type="auto">
        <nav aria-label="People">
          {people.map((person) => (
            <PersonRow
              key={person.contact}
              person={person}
              phone={phones.get(chatOf(provider, person.contact))}
              chosen={person.contact === chosen.contact}
              onChoose={() => onChoose(person.contact)}
            />
          ))}
        </nav>
        <Button className={classes.add} variant="subtle" leftSection={<Icon name="plus" size={16} />} onClick={open}>
          Add a person
        </Button>
      </ScrollArea>
      <footer className={classes.foot}>
        The real bot answers, through its real webhooks. No phone is reached: this is the part of Twilio and of Meta,
        played on this machine. The same in a terminal: <code>npm run chat</code>. What the team sees:{' '}
        <Anchor href="/whatsapp-inbox">the inbox</Anchor>. <Anchor href="/readyz">Health</Anchor>
      </footer>
      <NewPerson opened={adding} onClose={close} onAdd={onAdd} onChoose={onChoose} />
    </div>
  );
}

interface PersonRowProps {
  person: SimulatedPerson;
  phone: PhoneState | undefined;
  chosen: boolean;
  onChoose: () => void;
}

function PersonRow({ person, phone, chosen, onChoose }: PersonRowProps) {
  const last = phone?.messages.at(-1);
  const unread = phone?.unread ?? 0;
  return (
    <UnstyledButton
      className={classes.person}
      data-chosen={chosen}
      aria-current={chosen ? 'true' : undefined}
      onClick={onChoose}
    >
      <Avatar name={person.profileName} size={44} />
      <span className={classes.who}>
        <span className={classes.line}>
          <strong>{person.profileName}</strong>
          {last && <time dateTime={new Date(last.at).toISOString()}>{clock(last.at)}</time>}
        </span>
        <span className={classes.line}>
          <span className={classes.preview}>{previewOf(person, phone)}</span>
          {unread > 0 && (
            <span className={classes.unread}>
              {unread}
              <VisuallyHidden> new</VisuallyHidden>
            </span>
          )}
        </span>
      </span>
    </UnstyledButton>
  );
}

function previewOf({ contact }: SimulatedPerson, phone: PhoneState | undefined): string {
  if (phone?.typingSince) return 'Recado is typing…';
  const last = phone?.messages.at(-1);
  if (!last) return shownContact(contact);
  if (last.change === 'revoked') return 'You deleted this message';
  if (last.text) return last.text;
  const { location, card, media } = last.written ?? {};
  return location ? 'Location' : card ? `Contact: ${card.name}` : (media?.contentType.split('/')[0] ?? '');
}
