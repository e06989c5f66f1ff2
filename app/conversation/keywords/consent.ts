export function consentWordIn(text: string): 'stop' | 'start' | null {
  if (/^stop!?$/i.test(text.trim())) return 'stop';
  return /^start$/i.test(text.trim()) ? 'start' : null;
}
