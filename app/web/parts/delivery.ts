/** How far a message has come. */
export type TickState = 'sent' | 'delivered' | 'read';
