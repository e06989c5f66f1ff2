import { createTheme, type MantineColorsTuple } from '@mantine/core';

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

export const theme = createTheme({
  primaryColor: 'teal',
  colors: { teal },
  primaryShade: 6,
  fontFamily:
    '"Segoe UI", "Helvetica Neue", Roboto, Helvetica, Arial, "Liberation Sans", Ubuntu, Cantarell, sans-serif, "Noto Color Emoji"',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
});
