/** The prepared people: invented, with numbers that are reserved for fiction. */
import type { SimulatedPerson } from './contract.ts';

/** The last one has a username and shows no number, as WhatsApp allows since 2026. */
export const PEOPLE: readonly SimulatedPerson[] = [
  { contact: '15550100123', profileName: 'Ana Torres' },
  { contact: '15550100145', profileName: 'Ben Okafor' },
  { contact: '447700900118', profileName: 'Chloé Martin' },
  { contact: '15550100177', profileName: 'Zoë Kowalska' },
  { contact: 'US.7Q2M9K4TXB3D', profileName: 'nightowl.ida' },
];
