import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { Icon } from './Icon.tsx';

/** Light or dark mode; the browser stores the choice. */
export function ColorSchemeSwitch() {
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={other === 'dark' ? 'Dark mode' : 'Light mode'}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={other === 'dark' ? 'Dark mode' : 'Light mode'}
        onClick={() => setColorScheme(other)}
      >
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
      </ActionIcon>
    </Tooltip>
  );
}
