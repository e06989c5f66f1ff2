import { ActionIcon, Alert, Anchor, Badge, Center, Group, Tabs, Text, Tooltip } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Router, useLocation, useSearch } from 'wouter';
import { BotAvatar } from '../parts/Avatar.tsx';
import { ColorSchemeSwitch } from '../parts/ColorSchemeSwitch.tsx';
import { Icon } from '../parts/Icon.tsx';
import { SIGNED_OUT, session, signOut } from './api.ts';
import { Conversations } from './Conversations.tsx';
import { DeadLetters, useAttention } from './DeadLetters.tsx';
import classes from './inbox.module.css';
import { Notices } from './Notices.tsx';
import { SignIn } from './SignIn.tsx';
import { Waiting } from './States.tsx';
import { Tasks } from './Tasks.tsx';
import { type Connection, useLive } from './useLive.ts';
import { useWaitingCount, WaitingRoom } from './WaitingRoom.tsx';

// The charts are as large as the rest of the page, and most visits open neither them nor the broadcasts.
const Dashboard = lazy(() => import('./Dashboard.tsx'));
const Costs = lazy(() => import('./Costs.tsx'));
const Broadcasts = lazy(() => import('./Broadcasts.tsx'));

/** The inbox: sign-in, then everything the team sees. */
export function InboxPage() {
  const signedIn = useQuery({ queryKey: ['session'], queryFn: session, staleTime: Number.POSITIVE_INFINITY });
  const { refetch } = signedIn;
  useEffect(() => {
    const ask = () => void refetch();
    window.addEventListener(SIGNED_OUT, ask);
    return () => window.removeEventListener(SIGNED_OUT, ask);
  }, [refetch]);
  if (signedIn.isPending) return <Waiting />;
  // What is open stays open while the server restarts.
  if (signedIn.isError && signedIn.data === undefined) {
    return (
      <Center h="100dvh" p="md">
        <Alert color="red" title="The inbox could not be opened">
          {signedIn.error.message}{' '}
          <Anchor component="button" type="button" onClick={() => refetch()}>
            Try again
          </Anchor>
        </Alert>
      </Center>
    );
  }
  if (!signedIn.data) return <SignIn onDone={() => refetch()} />;
  return (
    <Router base="/whatsapp-inbox">
      <SignedIn />
    </Router>
  );
}

const PLACES = [
  { path: '/waiting', name: 'Waiting for a person', icon: 'person' },
  { path: '/', name: 'Conversations', icon: 'text' },
  { path: '/tasks', name: 'Tasks', icon: 'board' },
  { path: '/broadcasts', name: 'Broadcasts', icon: 'megaphone' },
  { path: '/dashboard', name: 'Dashboard', icon: 'chart' },
  { path: '/undelivered', name: 'Needs attention', icon: 'alarm' },
] as const;

/** What is open at first. */
const HOME = PLACES[1];

function SignedIn() {
  const connection = useLive();
  const [path, navigate] = useLocation();
  const counts: Readonly<Record<string, string>> = { '/waiting': useWaitingCount(), '/undelivered': useAttention() };
  const place = PLACES.find((one) => one.path !== '/' && path.startsWith(one.path)) ?? HOME;
  // A tab is as it was left: its filters, and the conversation that was open.
  const search = useSearch();
  const left = useRef(new Map<string, string>());
  left.current.set(place.path, search === '' ? path : `${path}?${search}`);
  const goTo = (next: string | null) => navigate(left.current.get(next ?? '/') ?? next ?? '/');
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <span className={classes.brand}>
          <BotAvatar size={30} />
          <Text component="span" fw={700}>
            Recado
          </Text>
        </span>
        <Tabs value={place.path} onChange={goTo} variant="none" className={classes.tabs}>
          <Tabs.List aria-label="Parts of the inbox">
            {PLACES.map(({ path: to, name, icon }) => (
              <Tabs.Tab
                key={to}
                value={to}
                leftSection={<Icon name={icon} size={16} />}
                rightSection={counts[to] && <span className={classes.count}>{` ${counts[to]}`}</span>}
                aria-label={counts[to] ? `${name} ${counts[to]}` : name}
              >
                {name}
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
      {connection === 'lost' && <ConnectionLost />}
      <Notices />
      <main className={classes.main}>
        {place.path === '/' && <Conversations />}
        {place.path === '/waiting' && <WaitingRoom />}
        {place.path === '/tasks' && <Tasks />}
        {place.path === '/broadcasts' && (
          <Suspense fallback={<Waiting />}>
            <Broadcasts />
          </Suspense>
        )}
        {place.path === '/undelivered' && <DeadLetters />}
        {place.path === '/dashboard' && (
          <Suspense fallback={<Waiting />}>{path === '/dashboard/costs' ? <Costs /> : <Dashboard />}</Suspense>
        )}
      </main>
    </div>
  );
}

function ConnectionBadge({ connection }: { connection: Connection }) {
  if (connection === 'live') {
    return (
      <Tooltip label="Changes appear as they happen">
        <Badge color="teal" variant="dot" tt="none" role="status" className={classes.live}>
          Live
        </Badge>
      </Tooltip>
    );
  }
  return (
    <Tooltip label="Reconnecting; the page may be outdated">
      <Badge color="#b83e00" variant="filled" tt="none" role="status" className={classes.live}>
        {connection === 'connecting' ? 'Connecting' : 'Offline'}
      </Badge>
    </Tooltip>
  );
}

/** A restart of the server is shorter than this: only a longer interruption is shown. */
const PATIENCE_MS = 3_000;

function ConnectionLost() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setShown(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <p className={classes.lost} role="alert">
      Connection lost, reconnecting… The page may be outdated.
    </p>
  );
}

function SignOut() {
  const queries = useQueryClient();
  async function leave(): Promise<void> {
    await signOut().catch(() => {});
    queries.clear();
    window.sessionStorage.clear();
    window.location.assign('/whatsapp-inbox');
  }
  return (
    <Tooltip label="Sign out">
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Sign out" onClick={leave}>
        <Icon name="leave" />
      </ActionIcon>
    </Tooltip>
  );
}
