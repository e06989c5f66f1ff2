import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type DueQuestion, resolveDue } from '../../app/analysis/due.ts';

const SATURDAY = Date.parse('2026-11-21T10:00:00Z');
const MONDAY = Date.parse('2026-11-23T16:00:00Z');

/** `2026-11-24`, or `2026-11-24 15:00`, or null. */
async function due(words: string, overrides: Partial<DueQuestion> = {}): Promise<string | null> {
  const found = await resolveDue({ words, date: null, at: MONDAY, timeZone: 'UTC', language: 'en', ...overrides });
  return found && [found.day, found.time].filter(Boolean).join(' ');
}

describe('When something is due', () => {
  const FROM_MONDAY: Record<string, string | null> = {
    today: '2026-11-23',
    tomorrow: '2026-11-24',
    'the day after tomorrow': '2026-11-25',
    Tuesday: '2026-11-24',
    'by Tuesday, please': '2026-11-24',
    'next Tuesday': '2026-12-01',
    'next Tuesday at 10': '2026-12-01 10:00',
    'in two weeks': '2026-12-07',
    'in a fortnight': '2026-12-07',
    'Friday 3pm': '2026-11-27 15:00',
    'in 2 hours': '2026-11-23 18:00',
    'by 3pm': '2026-11-24 15:00',
    ASAP: '2026-11-23',
    'by end of day': '2026-11-23',
    'this week': '2026-11-27',
    'next week': '2026-11-30',
    'end of the month': '2026-11-30',
    '2026-12-01': '2026-12-01',
    '2026-12-01T09:30': '2026-12-01 09:30',
    'December 5': '2026-12-05',
    '5 Dec at noon': '2026-12-05 12:00',
    yesterday: null,
    whenever: null,
    '': null,
    '2026-02-31': null,
    '2031-01-01': null,
  };
  for (const [words, expected] of Object.entries(FROM_MONDAY))
    test(`"${words}" on Monday 23 November is ${expected ?? 'no time'}`, async () => {
      assert.equal(await due(words), expected);
    });

  test('"next Tuesday" is the one of next week, which on a weekend is the first to come', async () => {
    assert.equal(await due('next Tuesday', { at: SATURDAY }), '2026-11-24');
    assert.equal(await due('next Tuesday', { at: Date.parse('2026-11-24T10:00:00Z') }), '2026-12-01');
    assert.equal(await due('next Tuesday', { at: Date.parse('2026-11-25T10:00:00Z') }), '2026-12-01');
  });

  test('counts from the day it is where the team is', async () => {
    const lateInTheEvening = Date.parse('2026-11-23T23:30:00Z');
    assert.equal(await due('tomorrow', { at: lateInTheEvening }), '2026-11-24');
    assert.equal(await due('tomorrow', { at: lateInTheEvening, timeZone: 'Europe/Madrid' }), '2026-11-25');
    assert.equal(await due('today', { at: lateInTheEvening, timeZone: 'America/Los_Angeles' }), '2026-11-23');
    assert.equal(await due('in 2 hours', { timeZone: 'Asia/Kolkata' }), '2026-11-23 23:30');
  });

  test('keeps the hour over a change of the clocks', async () => {
    const dayBefore = Date.parse('2026-03-28T10:00:00Z');
    assert.equal(await due('tomorrow 9am', { at: dayBefore, timeZone: 'Europe/Madrid' }), '2026-03-29 09:00');
    assert.equal(await due('in two weeks', { at: dayBefore, timeZone: 'Europe/Madrid' }), '2026-04-11');
  });

  test('honours a zone that the person names', async () => {
    assert.equal(await due('tomorrow 3pm PST', { timeZone: 'Europe/Madrid' }), '2026-11-25 00:00');
  });

  test('understands other languages', async () => {
    assert.equal(await due('el próximo martes', { language: 'es' }), '2026-12-01');
    assert.equal(await due('pasado mañana', { language: 'es-MX' }), '2026-11-25');
    assert.equal(await due('nächsten Dienstag', { language: 'de' }), '2026-12-01');
    assert.equal(await due('le 5 décembre à 15h', { language: 'fr' }), '2026-12-05 15:00');
    assert.equal(await due('明天', { language: 'zh' }), '2026-11-24');
  });

  test('believes the calendar rather than a model that miscounts', async () => {
    assert.equal(await due('next Tuesday', { at: SATURDAY, date: '2026-11-25' }), '2026-11-24');
    assert.equal(await due('tomorrow', { date: '2025-11-24' }), '2026-11-24');
  });

  test('lets the model decide what is ambiguous', async () => {
    assert.equal(await due('12/11'), '2026-12-11');
    assert.equal(await due('12/11', { date: '2027-11-12' }), '2027-11-12');
    assert.equal(await due('12/11', { language: 'en-GB' }), '2027-11-12');
  });

  test('lets the model decide what is understood by half or not at all', async () => {
    assert.equal(await due('the week after the holidays', { date: '2027-01-11' }), '2027-01-11');
    assert.equal(await due('the 5th', { date: '2026-12-05T15:00' }), '2026-12-05 15:00');
    assert.equal(await due('el martes de la semana que viene', { language: 'es', date: '2026-12-01' }), '2026-12-01');
  });

  test('does not believe a model’s date that is none or long past', async () => {
    assert.equal(await due('soon', { date: '2026-02-31' }), null);
    assert.equal(await due('soon', { date: '2025-02-01' }), null);
    assert.equal(await due('soon', { date: 'next Tuesday' }), null);
  });

  test('takes any words without failing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.string({ maxLength: 20 }),
        async (words, date) => {
          const found = await due(words, { date, language: 'pt-BR' });
          assert.ok(found === null || /^20\d\d-\d\d-\d\d( \d\d:\d\d)?$/.test(found));
        },
      ),
      { numRuns: 200 },
    );
  });
});
