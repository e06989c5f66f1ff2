/** Addresses as people read them, and as the rest of the program names them. */

/** `15550100123` → `+15550100123`; a username id (`US.1A2B`) stays as it is. */
export function phoneOf(address: string): string {
  return /^\d+$/.test(address) ? `+${address}` : address;
}

/** `+15550100123` → `15550100123`. */
export function addressOf(phone: string): string {
  return phone.replace(/^\+/, '');
}

/** What somebody typed or a program sent, as it stands in the tables: `whatsapp:+1 (555) 010-0123` → `+15550100123`. */
export function readPhone(given: string): string {
  const address = given.trim().replace(/^whatsapp:/i, '');
  const digits = address.replace(/[\s()./-]/g, '').replace(/^\+/, '');
  return /^\d+$/.test(digits) ? `+${digits}` : address;
}
