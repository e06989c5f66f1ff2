export function asksForPerson(text: string): boolean {
  return /^(a )?(human|person|agent)( please)?[.!]*$/i.test(text.trim());
}
