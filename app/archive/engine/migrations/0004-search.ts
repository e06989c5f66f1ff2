/**
 * Search for parts of words, in every script, with and without accents: a folded copy of each text, and an index of its trigrams. It
 * replaces the index of whole words, which knew no script without spaces and took `AB-12345` for one word.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/**
 * Letters that are written in several ways, and digits of other scripts: each stands for the one below it. Greek and Cyrillic
 * capitals are here because `lower` leaves them alone where the database's locale is C.
 */
const ALIKE = {
  ØøŁłĐđÐðĦħŦŧı: 'oollddddhhtti',
  ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς: 'αβγδεζηθικλμνξοπρστυφχψωσ',
  АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЄІЂЈЉЊЋЏҐ: 'абвгдежзиклмнопрстуфхцчшщъыьэюяєіђјљњћџґ',
  ىیةک: 'ييهك',
  '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९': '012345678901234567890123456789',
};
const from = Object.keys(ALIKE).join('');
const to = Object.values(ALIKE).join('');

/** Accents, vowel points of Arabic and Hebrew, which many leave out; apostrophes; and what cannot be seen. */
const LEFT_OUT = String.raw`[\u0027\u00ad\u02bc\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670\u200b-\u200f\u2019\u2060\ufe00-\ufe0f\ufeff]+`;
const BETWEEN_WORDS = String.raw`[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u3000-\u303f]+`;
/** Scripts that put no spaces between words (Thai to Myanmar, Khmer, Chinese and Japanese), and emoji: each character is a word. */
const WITHOUT_SPACES = String.raw`([\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u2600-\u27bf\u2e80-\ua4cf\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff])`;

/** Lower case, no accents, a space between words, and one before and behind. Of a text without a letter or digit, one space is left. */
const FOLD = `
create function recado_fold(given text) returns text language sql immutable parallel safe as $fold$
  select regexp_replace(' ' || regexp_replace(
    regexp_replace(
      replace(replace(replace(translate(lower(normalize(given, NFKD)), '${from}', '${to}'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
      '${LEFT_OUT}', '', 'g'),
    '${WITHOUT_SPACES}', ' \\1 ', 'g') || ' ', '${BETWEEN_WORDS}', ' ', 'g')
$fold$`;

/**
 * What `like` looks for in a folded text to find a part of a word. A word that begins with fewer than three characters has to begin a
 * word there, too: the index knows nothing shorter. Null when there is no letter and no digit.
 */
const PATTERN = `
create function recado_pattern(folded text) returns text language sql immutable parallel safe as $pattern$
  select case when folded = ' ' then null
    when strpos(ltrim(folded), ' ') <= 3 then '%' || rtrim(folded) || '%'
    else '%' || trim(folded) || '%' end
$pattern$`;

const COLUMNS = [
  'drop view whatsapp_inbox_view',
  `alter table whatsapp_messages drop column search, add column search_text text not null generated always as (recado_fold(
    left(message_body, 50000) || chr(10) || left(coalesce(transcription, ''), 50000) || chr(10) || left(coalesce(ai_summary, ''), 10000)
  )) stored`,
  `alter table whatsapp_conversations add column search_text text not null
    generated always as (recado_fold(coalesce(contact_name, ''))) stored`,
  `alter table sales_tasks add column search_text text not null
    generated always as (recado_fold(title || chr(10) || coalesce(description, ''))) stored`,
];

/** A server that does not have the extension, or does not let us have it, still searches, by reading every text. */
const INDEX = `
do $$
declare place text;
begin
  begin
    create extension if not exists pg_trgm;
  exception when others then
    raise notice 'no extension pg_trgm: %', sqlerrm;
  end;
  select nspname into place from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_trgm';
  if place is null then return; end if;
  execute format('create index whatsapp_messages_search on whatsapp_messages using gin (search_text %I.gin_trgm_ops)', place);
end $$`;

/** With the columns that the table has now. */
const VIEW = [
  `create view whatsapp_inbox_view as
    select m.*, c.phone_number, c.contact_name, c.conversation_status, c.unread_count,
      t.title as task_title, t.task_type, t.priority as task_priority, t.status as task_status, t.due_date as task_due_date
    from whatsapp_messages m
    join whatsapp_conversations c on c.id = m.conversation_id
    left join sales_tasks t on t.id = m.created_task_id`,
  // See the end of 0001-start.ts.
  `do $$
  begin
    if exists (select from pg_roles where rolname = 'anon') and current_setting('server_version_num')::int >= 150000 then
      execute 'alter view whatsapp_inbox_view set (security_invoker = true)';
    end if;
  end $$`,
];

const STATEMENTS = [FOLD, PATTERN, ...COLUMNS, ...VIEW, INDEX];
