import { mount } from '../parts/mount.tsx';
import { SimulatorPage } from './SimulatorPage.tsx';

mount(<SimulatorPage />);
