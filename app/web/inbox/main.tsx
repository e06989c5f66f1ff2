import '@mantine/charts/styles.css';
import { mount } from '../parts/mount.tsx';
import { InboxPage } from './InboxPage.tsx';

mount(<InboxPage />);
