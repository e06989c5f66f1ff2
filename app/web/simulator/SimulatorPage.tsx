import { ActionIcon, Drawer, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { Router, useLocation, useRoute } from 'wouter';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { Developers } from './drawer/Developers.tsx';
import { PeopleList } from './PeopleList.tsx';
import { PersonMenu } from './PersonMenu.tsx';
import { Phone } from './Phone.tsx';
import { EMPTY_PHONE } from './phones.ts';
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
  const { people, business, problem, add } = usePeople(route?.contact);
  const [, navigate] = useLocation();
  const person = people.find(({ contact }) => contact === route?.contact) ?? people[0] ?? NOBODY;
  const { phones, connection } = usePhones(person.contact);
  const ready = person !== NOBODY;
  const phone = phones.get(person.contact) ?? EMPTY_PHONE;
  const wide = useMediaQuery('(min-width: 1180px)', true, { getInitialValueInEffect: false });
  const [drawerOpen, setDrawerOpen] = useState(false);
  const choose = (contact: string) => navigate(`/as/${encodeURIComponent(contact)}`);
  const cast = { people, phones, chosen: person, onChoose: choose, onAdd: add };
  const developers = <Developers key={person.contact} person={person} phone={phone} />;

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
          <Phone key={person.contact} person={person} phone={phone} business={business} connection={connection} />
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
