import { ActionIcon, Drawer, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { Router, useLocation, useRoute, useSearch } from 'wouter';
import type { Provider, SimulatedPerson } from '../../simulator/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { Developers } from './drawer/Developers.tsx';
import { NumberSwitch } from './NumberSwitch.tsx';
import { PeopleList } from './PeopleList.tsx';
import { PersonMenu } from './PersonMenu.tsx';
import { Phone } from './Phone.tsx';
import { chatOf, EMPTY_PHONE } from './phones.ts';
import classes from './SimulatorPage.module.css';
import { usePeople } from './usePeople.ts';
import { usePhones } from './usePhones.ts';

/** A phone to be held by several people, and what happens behind it. */
export function SimulatorPage() {
  return (
    <Router base="/simulator">
      <Simulator />
    </Router>
  );
}

const NOBODY: SimulatedPerson = { contact: '', profileName: '' };

function Simulator() {
  const [, route] = useRoute('/as/:contact');
  const { people, numbers, problem, add } = usePeople(route?.contact);
  const [, navigate] = useLocation();
  const person = people.find(({ contact }) => contact === route?.contact) ?? people[0] ?? NOBODY;
  const provider: Provider = new URLSearchParams(useSearch()).get('number') === 'meta' ? 'meta' : 'twilio';
  const chat = chatOf(provider, person.contact);
  const { phones, connection } = usePhones(chat);
  const ready = person !== NOBODY;
  const phone = phones.get(chat) ?? EMPTY_PHONE;
  const wide = useMediaQuery('(min-width: 1180px)', true, { getInitialValueInEffect: false });
  const [drawerOpen, setDrawerOpen] = useState(false);
  const open = (contact: string, number: Provider) =>
    navigate(`/as/${encodeURIComponent(contact)}${number === 'meta' ? '?number=meta' : ''}`);
  const choose = (contact: string) => open(contact, provider);
  const cast = { people, provider, phones, chosen: person, onChoose: choose, onAdd: add };
  const developers = <Developers key={chat} person={person} provider={provider} phone={phone} />;
  const unreadFrom = (number: Provider) => phones.get(chatOf(number, person.contact))?.unread ?? 0;

  return (
    <div className={classes.page}>
      <aside className={classes.people} aria-label="Who you are">
        <PeopleList {...cast} />
      </aside>
      <main className={classes.stage}>
        <header className={classes.bar}>
          <PersonMenu {...cast} />
          <DeveloperButton onClick={() => setDrawerOpen(true)} />
        </header>
        {ready ? (
          <>
            <NumberSwitch
              provider={provider}
              onChange={(number) => open(person.contact, number)}
              unread={{ twilio: unreadFrom('twilio'), meta: unreadFrom('meta') }}
            />
            <Phone
              key={chat}
              person={person}
              provider={provider}
              phone={phone}
              business={numbers[provider]}
              connection={connection}
            />
          </>
        ) : (
          <p role="status">{problem ?? 'Switching the phone on…'}</p>
        )}
      </main>
      {wide ? (
        <aside className={classes.drawer} aria-label="For developers">
          {developers}
        </aside>
      ) : (
        <>
          <div className={classes.floating}>
            <DeveloperButton onClick={() => setDrawerOpen(true)} />
          </div>
          <Drawer
            opened={drawerOpen}
            onClose={() => setDrawerOpen(false)}
            position="right"
            size={520}
            title="For developers"
            closeButtonProps={{ 'aria-label': 'Close the drawer' }}
            classNames={{ body: classes.drawerBody ?? '' }}
          >
            {developers}
          </Drawer>
        </>
      )}
    </div>
  );
}

function DeveloperButton({ onClick }: { onClick: () => void }) {
  return (
    <Tooltip label="What happens behind it">
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Open the developers’ drawer" onClick={onClick}>
        <Icon name="code" />
      </ActionIcon>
    </Tooltip>
  );
}
