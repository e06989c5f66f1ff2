import { ActionIcon, Alert, Anchor, Badge, Center, Group, Loader, Tabs, Text, Tooltip } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Router, useLocation } from 'wouter';
import { ColorSchemeSwitch } from '../parts/ColorSchemeSwitch.tsx';
import { Icon } from '../parts/Icon.tsx';
import { session, signOut } from './api.ts';
import { Conversations } from './Conversations.tsx';
import { DeadLetters } from './DeadLetters.tsx';
import classes from './inbox.module.css';
import { SignIn } from './SignIn.tsx';
import { Tasks } from './Tasks.tsx';
import { type Connection, useLive } from './useLive.ts';

// The charts are as large as all the rest, and most visits do not look at them.
const Dashboard = lazy(() => import('./Dashboard.tsx'));

/** The inbox: sign-in, then everything the team sees. */
export function InboxPage() {
  const signedIn = useQuery({ queryKey: ['session'], queryFn: session, staleTime: Number.POSITIVE_INFINITY });
  if (signedIn.isPending) return <Waiting />;
  if (signedIn.isError) {
    return (
      <Center h="100dvh" p="md">
        <Alert color="red" title="The inbox could not be opened">
          {signedIn.error.message} <Anchor onClick={() => signedIn.refetch()}>Try again</Anchor>
        </Alert>
      </Center>
    );
  }
  if (!signedIn.data) return <SignIn onDone={() => signedIn.refetch()} />;
  return (
    <Router base="/whatsapp-inbox">
      <SignedIn />
    </Router>
  );
}

const PLACES = [
  { path: '/', name: 'Conversations', icon: 'text' },
  { path: '/tasks', name: 'Tasks', icon: 'button' },
  { path: '/dashboard', name: 'Dashboard', icon: 'memory' },
  { path: '/undelivered', name: 'Given up', icon: 'alarm' },
] as const;

function SignedIn() {
  const connection = useLive();
  const [path, navigate] = useLocation();
  const place = PLACES.find((one) => one.path !== '/' && path.startsWith(one.path)) ?? PLACES[0];
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <Text fw={700} className={classes.brand}>
          Recado
        </Text>
        <Tabs value={place.path} onChange={(next) => navigate(next ?? '/')} variant="none" className={classes.tabs}>
          <Tabs.List aria-label="Parts of the inbox">
            {PLACES.map(({ path: to, name, icon }) => (
              <Tabs.Tab key={to} value={to} leftSection={<Icon name={icon} size={16} />} aria-label={name}>
                <span className={classes.tabName}>{name}</span>
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
        <Group gap={4} wrap="nowrap" ml="auto">
          <ConnectionBadge connection={connection} />
          <ColorSchemeSwitch />
          <SignOut />
        </Group>
      </header>
      <main className={classes.main}>
        {place.path === '/' && <Conversations />}
        {place.path === '/tasks' && <Tasks />}
        {place.path === '/undelivered' && <DeadLetters />}
        {place.path === '/dashboard' && (
          <Suspense fallback={<Waiting />}>
            <Dashboard />
          </Suspense>
        )}
      </main>
    </div>
  );
}

function ConnectionBadge({ connection }: { connection: Connection }) {
  if (connection === 'live') {
    return (
      <Tooltip label="What happens is shown as it happens">
        <Badge color="teal" variant="dot" role="status">
          Live
        </Badge>
      </Tooltip>
    );
  }
  return (
    <Tooltip label="Reconnecting by itself; what you see may be old">
      <Badge color="orange" variant="filled" role="status">
        {connection === 'connecting' ? 'Connecting' : 'Offline'}
      </Badge>
    </Tooltip>
  );
}

function SignOut() {
  const queries = useQueryClient();
  async function leave(): Promise<void> {
    await signOut().catch(() => {});
    queries.clear();
    window.location.assign('/whatsapp-inbox');
  }
  return (
    <Tooltip label="Sign out">
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Sign out" onClick={leave}>
        <Icon name="person" />
      </ActionIcon>
    </Tooltip>
  );
}

function Waiting() {
  return (
    <Center h="60dvh">
      <Loader aria-label="Loading" />
    </Center>
  );
}
