import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, Menu } from '@mantine/core';

/** From WhatsApp's dark teal, whose seventh shade carries white text. */
const teal: MantineColorsTuple = [
  '#e6f7f3',
  '#c9ece4',
  '#97dccb',
  '#5fcab0',
  '#2fb595',
  '#0c9d80',
  '#008069',
  '#006c59',
  '#005848',
  '#003f34',
];

/** WhatsApp's dark: blue-grey, the eighth is behind everything. */
const dark: MantineColorsTuple = [
  '#e9edef',
  '#c3ccd1',
  '#99a7af',
  '#72828b',
  '#3b4a54',
  '#2a3942',
  '#1f2c33',
  '#111b21',
  '#0c1317',
  '#070c0f',
];

export const theme = createTheme({
  primaryColor: 'teal',
  colors: { teal, dark },
  primaryShade: 6,
  fontFamily:
    '"Segoe UI", "Helvetica Neue", Roboto, Helvetica, Arial, "Liberation Sans", Ubuntu, Cantarell, "DejaVu Sans", sans-serif, "Noto Color Emoji"',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Its place for the first focus is no item, and a menu holds items only.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
});

/** Reds that can be read on our backgrounds: 4.5 to 1 and more. */
export const reds: CSSVariablesResolver = () => ({
  variables: { '--mantine-color-red-filled': '#c92a2a', '--mantine-color-red-filled-hover': '#b02525' },
  light: Object.fromEntries(READ_AS_TEXT.map((name) => [name, '#b02525'])),
  dark: Object.fromEntries(READ_AS_TEXT.map((name) => [name, '#ff8f8f'])),
});

const READ_AS_TEXT = ['red-6', 'red-text', 'red-light-color', 'red-outline', 'error'].map(
  (name) => `--mantine-color-${name}`,
);
