import { Button, Center, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { BotAvatar } from '../parts/Avatar.tsx';
import { signIn } from './api.ts';

/** Asks for the password of the inbox. */
export function SignIn({ onDone }: { onDone: () => void }) {
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(password);
      onDone();
    } catch (error) {
      setProblem(wordsFor(error));
      setBusy(false);
    }
  }

  return (
    <Center component="main" h="100dvh" p="md">
      <Paper withBorder shadow="sm" p="xl" w={380} maw="100%">
        <form onSubmit={submit}>
          <Stack>
            <Group gap="sm">
              <BotAvatar size={36} />
              <Title order={1} size="h3">
                Recado inbox
              </Title>
            </Group>
            <PasswordInput
              label="Password"
              description="ADMIN_PASSWORD, or the password that was printed at start"
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              error={problem}
              autoFocus
              required
              withAsterisk={false}
              autoComplete="current-password"
            />
            <Button type="submit" loading={busy}>
              Sign in
            </Button>
            <Text size="sm" c="dimmed">
              You stay signed in for 12 hours.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

function wordsFor(error: unknown): string {
  const status = error instanceof Error && 'status' in error ? error.status : 0;
  if (status === 401) return 'Wrong password.';
  if (status === 429) return 'Too many attempts. Wait 15 minutes, then try again.';
  return error instanceof Error ? error.message : String(error);
}
