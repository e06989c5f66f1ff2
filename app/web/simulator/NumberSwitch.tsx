import { SegmentedControl, VisuallyHidden } from '@mantine/core';
import type { Provider } from '../../simulator/contract.ts';
import classes from './NumberSwitch.module.css';

interface NumberSwitchProps {
  provider: Provider;
  onChange: (provider: Provider) => void;
  /** Unread answers from each number, to this person. */
  unread: Record<Provider, number>;
}

const NAMES: Record<Provider, string> = { twilio: 'Twilio number', meta: 'Cloud API number' };

/** Which of the two numbers the person writes to. */
export function NumberSwitch({ provider, onChange, unread }: NumberSwitchProps) {
  return (
    <div className={classes.bar}>
      <SegmentedControl
        fullWidth
        aria-label="The number that is written to"
        value={provider}
        onChange={(value) => onChange(value === 'meta' ? 'meta' : 'twilio')}
        data={(['twilio', 'meta'] as const).map((value) => ({
          value,
          label: (
            <>
              {NAMES[value]}
              {unread[value] > 0 && (
                <span className={classes.other}>
                  {unread[value]}
                  <VisuallyHidden> new</VisuallyHidden>
                </span>
              )}
            </>
          ),
        }))}
      />
    </div>
  );
}
