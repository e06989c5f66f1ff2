import { Tabs } from '@mantine/core';
import type { Provider, SimulatedPerson } from '../../../simulator/contract.ts';
import { Icon, type IconName } from '../../parts/Icon.tsx';
import type { PhoneState } from '../phones.ts';
import classes from './Developers.module.css';
import { MemoryView } from './MemoryView.tsx';
import { ModelView } from './ModelView.tsx';
import { TryOut } from './TryOut.tsx';
import { WireView } from './WireView.tsx';

interface DevelopersProps {
  person: SimulatedPerson;
  /** Whose number they write to. */
  provider: Provider;
  phone: PhoneState;
}

/** What happens behind the phone. */
export function Developers({ person, provider, phone }: DevelopersProps) {
  return (
    <Tabs defaultValue="wire" className={classes.developers} keepMounted={false}>
      <Tabs.List grow>
        <Tab value="wire" icon="shuffle" title="Wire" />
        <Tab value="model" icon="text" title="Model" />
        <Tab value="memory" icon="memory" title="Memory" />
        <Tab value="try" icon="alarm" title="Try" />
      </Tabs.List>
      <Tabs.Panel value="wire" className={classes.panel}>
        <WireView log={phone.log} />
      </Tabs.Panel>
      <Tabs.Panel value="model" className={classes.panel}>
        <ModelView log={phone.log} />
      </Tabs.Panel>
      <Tabs.Panel value="memory" className={classes.panel}>
        <MemoryView person={person} log={phone.log} />
      </Tabs.Panel>
      <Tabs.Panel value="try" className={classes.panel}>
        <TryOut person={person} provider={provider} phone={phone} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Tab({ value, icon, title }: { value: string; icon: IconName; title: string }) {
  return (
    <Tabs.Tab value={value} className={classes.tab} leftSection={<Icon name={icon} size={16} />}>
      {title}
    </Tabs.Tab>
  );
}
