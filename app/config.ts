/**
 * The settings: one table, read once at start. `readConfig` reports all problems at once. A setting that is given as an empty
 * text counts as not given (docker-compose passes unset variables that way), but for those of `EMPTY_MEANS_NOTHING`.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type QuietHours, readQuietHours } from './broadcast/hours.ts';
import { createPrices, type PriceTable, readPriceTable } from './costs/prices.ts';
import { SettingsError } from './errors.ts';
import { templateRef } from './message.ts';
import { type Money, readAmount } from './money.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a person reads when nothing else is configured. */
export const DEFAULT_DISCLOSURE =
  'Hello! I am the automatic assistant of {business_name}: software that answers with AI. Write PERSON and somebody of the team takes over.';
export const DEFAULT_HANDOFF_REPLY = 'I have asked the team: somebody will answer you here.';
export const DEFAULT_HANDOFF_OVER_REPLY =
  'I am sorry, nobody of the team could answer so far. I can help you again. Write PERSON to ask for somebody once more.';
export const DEFAULT_STOP_REPLY =
  'You will get no more messages from {business_name} here. Write START when you want them again.';
export const DEFAULT_START_REPLY = 'Welcome back: you get messages from {business_name} again. Write STOP to end them.';
export const DEFAULT_FAILURE_REPLY =
  'Sorry, I cannot answer right now. Please try again in a few minutes: I have kept your message.';

/** Settings whose empty text is a value. */
const EMPTY_MEANS_NOTHING: ReadonlySet<string> = new Set(['FAILURE_REPLY', 'AI_DISCLOSURE']);

/** The schemas of numbers and of choices. */
const PLAIN_VALUES = new WeakSet<z.ZodType>();

/** A shorter one is found by trying. */
const SHORTEST_PASSWORD = 8;

/** Every setting: how it is read, its default as one would type it, and what it means. The order is the order of `.env.example`. */
export const SETTINGS = {
  PORT: row(integer(1, 65_535), '3002', 'HTTP port'),
  PUBLIC_URL: row(
    url(['http:', 'https:']).transform(withoutWebhookPath),
    '',
    'the address that Twilio or Meta calls, e.g. https://bot.example.com; used for signatures and callbacks',
  ),
  TRUST_PROXY: row(flag(), 'false', 'take protocol and host from X-Forwarded-* when PUBLIC_URL is not given'),
  TWILIO_ACCOUNT_SID: row(
    pattern(/^AC[0-9a-fA-F]{32}$/, 'an Account SID: AC and 32 hex digits, from the Twilio Console'),
    '',
    'Twilio account; without it and ACCESS_TOKEN the simulator is used',
  ),
  TWILIO_AUTH_TOKEN: row(text(), '', 'the auth token of that account: signs webhooks and opens the REST API'),
  TWILIO_AUTH_TOKEN_SECONDARY: row(text(), '', 'a second token that is also accepted for signatures, while rotating'),
  TWILIO_WHATSAPP_NUMBER: row(
    pattern(/^(whatsapp:)?\+?\d{6,15}$/, 'a number such as whatsapp:+14155238886'),
    '',
    'our number, with or without whatsapp: and +. Answers come from the number the person wrote to; this one is used when a webhook names none',
  ),
  TWILIO_MESSAGING_SERVICE_SID: row(
    pattern(/^MG[0-9a-fA-F]{32}$/, 'a Messaging Service SID: MG and 32 hex digits'),
    '',
    'send through a Messaging Service instead',
  ),
  TWILIO_VALIDATE_SIGNATURE: row(
    flag(),
    'true',
    'false accepts webhooks that are not signed: only for local experiments',
  ),
  TWILIO_API_BASE_URL: row(
    url(['http:', 'https:']),
    'https://api.twilio.com',
    'another origin for the REST API, also trusted for media (regions, tests)',
  ),
  TWIML_DEADLINE_MS: row(
    integer(0, 14_500),
    '12000',
    'how long the webhook waits for the answer, ms (Twilio gives up at 15 s); 0 = always answer by an API call',
  ),
  ACCESS_TOKEN: row(
    text(),
    '',
    "access token of Meta's WhatsApp Cloud API, of a system user with whatsapp_business_messaging; without it only Twilio is used",
  ),
  PHONE_NUMBER_ID: row(
    pattern(/^[\w-]{1,64}(\s*,\s*[\w-]{1,64})*$/, 'ids of numbers, more separated by commas'),
    '',
    "Meta's id of our number, from the WhatsApp Manager; more of them separated by commas",
  ),
  BUSINESS_ACCOUNT_ID: row(
    pattern(/^\d{1,32}$/, 'digits'),
    '',
    "Meta's id of our WhatsApp business account (WABA), which has the templates; without it they are sent unchecked",
  ),
  VERIFY_TOKEN: row(
    text(),
    '',
    'a word of your own choice that Meta repeats when it is given the address of the webhook',
  ),
  META_APP_SECRET: row(text(), '', 'secret of the app at Meta, from its basic settings: signs webhooks'),
  META_VALIDATE_SIGNATURE: row(
    flag(),
    'true',
    'false accepts webhooks of Meta that are not signed: only for local experiments',
  ),
  GRAPH_API_BASE: row(
    url(['http:', 'https:'])
      .refine(isSafeForSecrets, 'expected an address that starts with https://, or one of this machine')
      .transform((given) => given.replace(/\/+$/, '')),
    'https://graph.facebook.com/v25.0',
    "address and version of Meta's API",
  ),
  OPENAI_API_KEY: row(text(), '', 'key of the model server; without it and OPENAI_BASE_URL a practice model answers'),
  OPENAI_BASE_URL: row(url(['http:', 'https:']), '', 'any OpenAI-compatible server, e.g. http://localhost:11434/v1'),
  GOOGLE_API_KEY: row(
    text(),
    '',
    "key of Google's Gemini, which answers and listens when neither OPENAI_API_KEY nor OPENAI_BASE_URL is given",
  ),
  OPENAI_MODEL: row(
    text(),
    'gpt-5.4-mini',
    'the model that answers; with GOOGLE_API_KEY the default is gemini-3.8-flash',
  ),
  OPENAI_SUMMARY_MODEL: row(text(), '', 'the model that writes summaries; default: OPENAI_MODEL'),
  OPENAI_ANALYSIS_MODEL: row(text(), '', 'the model that analyses messages; default: OPENAI_MODEL'),
  OPENAI_TRANSCRIBE_MODEL: row(
    text(),
    'gpt-transcribe',
    'voice notes; whisper-1 and self-hosted Whisper servers work too',
  ),
  OPENAI_TRANSCRIBE_BASE_URL: row(url(['http:', 'https:']), '', 'another server for speech; default: OPENAI_BASE_URL'),
  OPENAI_REASONING_EFFORT: row(
    choice(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'], {
      error: 'expected none, minimal, low, medium, high, xhigh or max',
    }),
    '',
    'reasoning effort of the model; sent only when given',
  ),
  OPENAI_TEMPERATURE: row(number(0, 2), '', 'sampling temperature; sent only when given (many models refuse it)'),
  OPENAI_TIMEOUT_MS: row(integer(1_000, 600_000), '60000', 'how long one answer may take, ms, retries included'),
  MAX_REPLY_TOKENS: row(integer(16, 32_000), '800', 'the longest answer, in tokens'),
  BUSINESS_NAME: row(text(), '', 'the name of the business, as its customers know it'),
  BUSINESS_PURPOSE: row(
    text(),
    '',
    'what the business is and what the assistant helps with, a paragraph; everything else it declines',
  ),
  BUSINESS_FILE: row(
    text(),
    '',
    'a Markdown file with it instead of BUSINESS_PURPOSE: who we are, what we help with, hours, what we do not do',
  ),
  SYSTEM_PROMPT: row(
    text(),
    '',
    'your own instructions instead of those made of the purpose; may use {business_name}, {business_purpose}, {today}, {history_summary}, {profile_name}',
  ),
  SYSTEM_PROMPT_FILE: row(text(), '', 'a file with the system prompt, instead of SYSTEM_PROMPT'),
  TIME_ZONE: row(
    z.string().refine(isTimeZone, 'expected a name such as Europe/Madrid'),
    'UTC',
    'for {today} and due dates',
  ),
  FAILURE_REPLY: row(
    z.string().refine((given) => given === '' || given.trim() !== '', 'expected words, or nothing at all'),
    DEFAULT_FAILURE_REPLY,
    'what a person gets when the model does not answer; empty: nothing, and the webhook gets 502',
  ),
  AI_DISCLOSURE: row(
    z
      .string()
      .refine((given) => given === '' || given.trim() !== '', 'expected words, or nothing at all')
      .transform((given) => (given === 'default' ? DEFAULT_DISCLOSURE : given)),
    DEFAULT_DISCLOSURE,
    'opens the first answer to somebody, and again after the memory of them has expired; may use {business_name}; empty: nothing does; default: the sentence of Recado',
  ),
  HANDOFF_REPLY: row(
    text(),
    DEFAULT_HANDOFF_REPLY,
    'what somebody gets who asks for a person; may use {hours} and {contact}, which follow as sentences otherwise',
  ),
  HUMAN_CONTACT: row(text(), '', 'how else a person is reached: a telephone number, an e-mail address, a page'),
  OPENING_HOURS: row(text(), '', 'when people of the team answer, e.g. Monday to Friday, 9 to 17'),
  HANDOFF_HOURS: row(
    number(0.01, 24 * 7),
    '12',
    'how long the bot is silent after a person was asked for and nobody has come, hours; then it says so and answers again',
  ),
  HANDOFF_OVER_REPLY: row(text(), DEFAULT_HANDOFF_OVER_REPLY, 'what it says then'),
  HANDOFF_AFTER_FAILURES: row(integer(0, 100), '3', 'so many answers in a row that fail bring a person; 0 = none do'),
  HANDOFF_WEBHOOK_URL: row(
    url(['http:', 'https:']),
    '',
    'told of every conversation that waits for a person, by a signed POST; Slack takes it as it is',
  ),
  COMMANDS: row(
    flag(),
    'true',
    'people may write /help, /reset, /export and /forget me, or say so in words; false: they are words like others',
  ),
  STOP_REPLY: row(
    text(),
    DEFAULT_STOP_REPLY,
    'the one message that somebody gets who wrote STOP (in any of thirty languages); may use {business_name}',
  ),
  FIRST_CONTACT_TEMPLATE: row(
    z
      .string()
      .refine(
        (given) => templateRef(given) !== null,
        "expected a name and a language, such as welcome:en, or Twilio's id, HX and 32 digits",
      ),
    '',
    'the template that somebody gets who writes for the first time, instead of an answer: welcome:en at Meta, HX… at Twilio; empty: they are answered',
  ),
  START_REPLY: row(text(), DEFAULT_START_REPLY, 'what somebody gets who wants messages again; may use {business_name}'),
  REDIS_URL: row(
    url(['redis:', 'rediss:', 'unix:']),
    '',
    'Redis, e.g. redis://localhost:6379; without any REDIS_ setting a private one is started',
  ),
  REDIS_HOST: row(text(), '', 'Redis by host name; REDIS_URL wins when both are given'),
  REDIS_PORT: row(integer(1, 65_535), '6379', 'port for REDIS_HOST'),
  REDIS_PASSWORD: row(text(), '', 'password for REDIS_HOST or REDIS_CLUSTER_NODES'),
  REDIS_CLUSTER_NODES: row(
    pattern(
      /^[^\s,:@]+:\d{1,5}(,[^\s,:@]+:\d{1,5})*$/,
      'host:port, more separated by commas, each port from 1 to 65535',
    ).refine(hasPorts, 'expected host:port, more separated by commas, each port from 1 to 65535'),
    '',
    'host:port,… of a Redis Cluster',
  ),
  REDIS_SHARDS: row(integer(1, 1_024), '1', 'hash tags that the keys are spread over; 32 or more on a cluster'),
  DATABASE_URL: row(
    url(['postgres:', 'postgresql:']),
    '',
    'Postgres for the archive, Supabase too; without it an embedded one is used',
  ),
  ANALYSIS: row(flag(), 'on', 'off: no analysis, no automatic tasks, no cost for them'),
  ANALYSIS_PROMPT_FILE: row(
    text(),
    '',
    'a Markdown file with the prompt of the analysis; before it, between two lines of ---, lists such as intents: a, b',
  ),
  ADMIN_PASSWORD: row(
    z.string().min(SHORTEST_PASSWORD, `expected at least ${SHORTEST_PASSWORD} characters`),
    '',
    'password of the inbox; default: generated and printed at every start',
  ),
  API_KEYS: row(
    keys(16),
    '',
    'keys of programs that use the API, at least 16 characters each, separated by commas; sent as x-api-key',
  ),
  ROLE: row(
    choice(['all', 'bot', 'desk'], { error: 'expected all, bot or desk' }),
    'all',
    'which parts run here: all; bot = webhooks and answers; desk = archive, analysis and inbox',
  ),
  DATA_DIR: row(text(), 'data', 'where the embedded stores keep their files'),
  HISTORY_TOKENS: row(
    integer(200, 200_000),
    '3000',
    'size of the verbatim history at which its older half is summarized, in tokens',
  ),
  SUMMARY_TOKENS: row(integer(50, 4_000), '400', 'length of the rolling summary, in tokens'),
  HISTORY_TTL_DAYS: row(integer(1, 3_650), '30', 'silence after which the memory of a contact is deleted, in days'),
  LEASE_MS: row(
    integer(1_000, 600_000),
    '30000',
    'how long a contact stays with a turn that renews nothing, ms; a process that is gone is noticed earlier',
  ),
  MAX_MEDIA_BYTES: row(
    integer(1_024, 104_857_600),
    '16777216',
    'the largest picture or voice note that is downloaded, in bytes',
  ),
  RATE_LIMIT_PER_MINUTE: row(
    integer(1, 100_000),
    '20',
    'messages a contact may send in a minute; above it they are asked to slow down',
  ),
  DAILY_TOKENS_PER_CONTACT: row(
    integer(1, 1_000_000_000),
    '',
    'model tokens a contact may use a day; default: no limit',
  ),
  MONTHLY_BUDGET: row(
    z
      .string()
      .transform(readBudget)
      .refine((budget) => budget !== null, 'expected an amount and a currency such as 50 USD'),
    '',
    'what messages and models may cost a month, e.g. 50 USD; when it is used up the bot is paused and the team answers; default: no limit',
  ),
  MODEL_PRICES: row(
    text(),
    '',
    'a JSON file with your prices of models and messages; default: those that come with the project',
  ),
  BULK_TEMPLATE: row(
    z
      .string()
      .refine(
        (given) => templateRef(given) !== null,
        "expected a name and a language, such as order_ready:en, or Twilio's id, HX and 32 digits",
      ),
    '',
    'the template that bulk messages are sent with when a request names none; default: FIRST_CONTACT_TEMPLATE',
  ),
  BULK_PER_SECOND: row(
    integer(1, 1_000),
    '80',
    'bulk messages in a second from one number of ours, at most; all processes together',
  ),
  BULK_PER_DAY: row(
    integer(1, 100_000_000),
    '',
    'people that bulk messages may go to in 24 hours, over all numbers of a channel; default: as many as Meta allows',
  ),
  BULK_QUIET_HOURS: row(
    z.string().refine((given) => readQuietHours(given) !== null, 'expected two times of day such as 21:00-08:00'),
    '',
    'no bulk message is sent at these times of day, by TIME_ZONE, e.g. 21:00-08:00: they wait; default: none',
  ),
  BULK_REQUIRES_OPT_IN: row(
    flag(),
    'false',
    'true sends bulk messages only to people who agreed to get messages, see the ledger of consent',
  ),
  MAX_CONCURRENT_TURNS: row(
    integer(1, 100_000),
    '1000',
    'how many contacts one process answers at the same time; others wait in the order they came',
  ),
  MAX_WAITING: row(
    integer(1, 1_000_000),
    '5000',
    'how many messages may wait for that in one process; further webhooks get 503',
  ),
  ALERT_WEBHOOK_URL: row(
    url(['http:', 'https:']),
    '',
    "gets a message when something is wrong, and when it is over: see Alarms in docs/operations.md. Slack's incoming webhooks and others that read text work",
  ),
  WEBHOOK_SECRET: row(
    z
      .string()
      .refine(
        isWebhookSecret,
        'expected whsec_ and 24 to 64 bytes in base64 (echo "whsec_$(openssl rand -base64 32)" makes a good one)',
      ),
    '',
    'signs every webhook that Recado sends (Standard Webhooks): whsec_ and 24 to 64 bytes in base64; default: they are not signed',
  ),
  SIMULATOR: row(
    choice(['on', 'off', 'auto'], { error: 'expected on, off or auto' }),
    'auto',
    'built-in provider for trying out: on, off, auto = on when no provider is configured',
  ),
  LOG_LEVEL: row(
    choice(['error', 'warn', 'info', 'debug'], { error: 'expected error, warn, info or debug' }),
    'info',
    'the lowest level that is logged: error, warn, info or debug',
  ),
};

type Values = { [Name in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Name]['schema']> | undefined };

export type Config = ReturnType<typeof arrange>;

/**
 * Reads the settings.
 * @throws SettingsError that lists every problem with the setting's name, what was expected and what to do.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => {
      const given = EMPTY_MEANS_NOTHING.has(name) ? environment[name] : environment[name]?.trim() || undefined;
      const raw = given ?? setting.default;
      if (raw === '' && !EMPTY_MEANS_NOTHING.has(name)) return [name, undefined];
      const parsed = setting.schema.safeParse(raw);
      if (parsed.success) return [name, parsed.data];
      problems.push(
        `${name}: ${parsed.error.issues[0]?.message}, got ${shown(setting.schema, raw)}. It is: ${setting.meaning}.`,
      );
      return [name, undefined];
    }),
    // Each value was parsed by the schema under the same name in the same table.
  ) as Values;
  const files = {
    systemPrompt: readFile('SYSTEM_PROMPT_FILE', values, problems) || values.SYSTEM_PROMPT || null,
    businessPurpose: readFile('BUSINESS_FILE', values, problems) || values.BUSINESS_PURPOSE || null,
    analysisPrompt: readFile('ANALYSIS_PROMPT_FILE', values, problems),
    prices: readPrices(values, problems),
  };
  problems.push(...contradictions(values), ...otherCurrency(values, files.prices));
  if (problems.length > 0) throw new SettingsError(problems);
  return arrange(values, files);
}

/**
 * What is accepted, but probably not meant: settings of other programs, and values that cost something. For the log, at start.
 * @param environment as `readConfig` got it
 */
export function settingWarnings(environment: Environment, config: Config): string[] {
  const warnings = Object.entries(OF_OTHERS)
    .filter(([name]) => environment[name]?.trim())
    .map(([name, ours]) => `${name} has no effect here: ${ours}`);
  if (config.leaseMs < SHORT_LEASE_MS)
    warnings.push(
      `LEASE_MS=${config.leaseMs} is short: whatever holds the process up for longer makes another one answer. 30000 is the default.`,
    );
  const { model, monthlyBudget, prices } = config;
  const names = model ? new Set([model.answer, model.summary, ...(config.analysis ? [model.analysis] : [])]) : [];
  const unknown = [...names].filter((name) => !createPrices(prices).knows(name));
  if (monthlyBudget && unknown.length > 0)
    warnings.push(
      `MONTHLY_BUDGET does not count what ${unknown.join(', ')} costs: there is no price for it. Add it to MODEL_PRICES.`,
    );
  return warnings;
}

const SHORT_LEASE_MS = 5_000;

/** Names that other programs of this kind use → what to do instead. */
const OF_OTHERS: Record<string, string> = {
  TWILIO_WEBHOOK_URL: 'PUBLIC_URL is the address that Twilio calls.',
  WEBHOOK_URL: 'PUBLIC_URL is the address that Twilio calls.',
  TWILIO_NUMBER: 'TWILIO_WHATSAPP_NUMBER is our number.',
  TWILIO_PHONE_NUMBER: 'TWILIO_WHATSAPP_NUMBER is our number.',
  TWILIO_FROM_NUMBER: 'TWILIO_WHATSAPP_NUMBER is our number.',
  TWILIO_SID: 'TWILIO_ACCOUNT_SID is the account.',
  SUPABASE_URL: "DATABASE_URL takes Supabase's Postgres address (Project settings, Database).",
  SUPABASE_KEY: 'DATABASE_URL has the user and the password of the database.',
  SUPABASE_ANON_KEY: 'DATABASE_URL has the user and the password of the database.',
  SUPABASE_SERVICE_ROLE_KEY: 'DATABASE_URL has the user and the password of the database.',
  SUPABASE_SERVICE_KEY: 'DATABASE_URL has the user and the password of the database.',
  MONGO_URI: 'the archive is kept in Postgres (DATABASE_URL) or embedded.',
  MONGODB_URI: 'the archive is kept in Postgres (DATABASE_URL) or embedded.',
  POSTGRES_URL: 'DATABASE_URL is the address of Postgres.',
  DB_HOST: 'DATABASE_URL is the address of Postgres.',
  OPENAI_API_BASE: 'OPENAI_BASE_URL is the address of the model server.',
  OPENAI_BASE_PATH: 'OPENAI_BASE_URL is the address of the model server.',
  MODEL: 'OPENAI_MODEL is the model that answers.',
  OPENAI_MODEL_NAME: 'OPENAI_MODEL is the model that answers.',
  AZURE_OPENAI_API_KEY: 'OPENAI_API_KEY and OPENAI_BASE_URL take any server with the OpenAI protocol.',
  WHATSAPP_TOKEN: "ACCESS_TOKEN is the token of Meta's API.",
  WHATSAPP_ACCESS_TOKEN: "ACCESS_TOKEN is the token of Meta's API.",
  WHATSAPP_PHONE_NUMBER_ID: "PHONE_NUMBER_ID is Meta's id of our number.",
  WHATSAPP_VERIFY_TOKEN: 'VERIFY_TOKEN is the word that Meta repeats.',
  WHATSAPP_APP_SECRET: 'META_APP_SECRET is the secret of the app at Meta.',
  APP_SECRET: 'META_APP_SECRET is the secret of the app at Meta.',
  DATABASE_NAME: 'DATABASE_URL names the database of the archive, too.',
  COLLECTION_NAME: 'the archive has its own tables.',
};

interface Files {
  systemPrompt: string | null;
  businessPurpose: string | null;
  analysisPrompt: string | undefined;
  prices: PriceTable;
}

function arrange(values: Values, files: Files) {
  const set = required(values);
  const simulator = set.SIMULATOR === 'on' || (set.SIMULATOR === 'auto' && !hasProvider(values));
  return Object.freeze({
    port: set.PORT,
    publicUrl: values.PUBLIC_URL?.replace(/\/+$/, ''),
    trustProxy: set.TRUST_PROXY,
    twilio: twilioSettings(values, set.TWILIO_API_BASE_URL),
    /** The simulator stands in for every provider: real people are not written to beside it. */
    meta: simulator ? null : metaSettings(values, set),
    validateSignature: set.TWILIO_VALIDATE_SIGNATURE,
    twimlDeadlineMs: set.TWIML_DEADLINE_MS,
    model: modelSettings(values, set),
    reasoningEffort: values.OPENAI_REASONING_EFFORT,
    temperature: values.OPENAI_TEMPERATURE,
    modelTimeoutMs: set.OPENAI_TIMEOUT_MS,
    maxReplyTokens: set.MAX_REPLY_TOKENS,
    business: { name: values.BUSINESS_NAME ?? null, purpose: files.businessPurpose },
    /** The operator's own; null when there is none. */
    systemPrompt: files.systemPrompt,
    timeZone: set.TIME_ZONE,
    failureReply: set.FAILURE_REPLY,
    /** Null when first messages are answered. */
    firstContactTemplate: templateRef(values.FIRST_CONTACT_TEMPLATE ?? ''),
    ...policySettings(values, set),
    redis: redisSettings(values, set.REDIS_PORT),
    databaseUrl: values.DATABASE_URL,
    analysis: set.ANALYSIS,
    analysisPrompt: files.analysisPrompt,
    adminPassword: values.ADMIN_PASSWORD,
    apiKeys: values.API_KEYS ?? [],
    redisShards: set.REDIS_SHARDS,
    role: set.ROLE,
    dataDir: set.DATA_DIR,
    historyTokens: set.HISTORY_TOKENS,
    summaryTokens: set.SUMMARY_TOKENS,
    historyTtlMs: set.HISTORY_TTL_DAYS * 86_400_000,
    leaseMs: set.LEASE_MS,
    maxMediaBytes: set.MAX_MEDIA_BYTES,
    rateLimitPerMinute: set.RATE_LIMIT_PER_MINUTE,
    dailyTokensPerContact: values.DAILY_TOKENS_PER_CONTACT,
    /** Null when there is none. */
    monthlyBudget: values.MONTHLY_BUDGET ?? null,
    prices: files.prices,
    bulk: bulkSettings(values, set),
    maxConcurrentTurns: set.MAX_CONCURRENT_TURNS,
    maxWaiting: set.MAX_WAITING,
    alertWebhookUrl: values.ALERT_WEBHOOK_URL,
    /** Of every webhook that we send; undefined = they are not signed. */
    webhookSecret: values.WEBHOOK_SECRET,
    simulator,
    logLevel: set.LOG_LEVEL,
  });
}

function bulkSettings(values: Values, set: ReturnType<typeof required>) {
  return {
    /** Null when every request has to name one. */
    template: templateRef(values.BULK_TEMPLATE ?? values.FIRST_CONTACT_TEMPLATE ?? ''),
    perSecond: set.BULK_PER_SECOND,
    /** Undefined = as many as the provider allows. */
    perDay: values.BULK_PER_DAY,
    quietHours: quietHoursOf(values.BULK_QUIET_HOURS),
    requiresOptIn: set.BULK_REQUIRES_OPT_IN,
  };
}

/** Null when there are none. */
function quietHoursOf(given: string | undefined): QuietHours | null {
  return given === undefined ? null : readQuietHours(given);
}

/** Null when no server is named: a practice model answers. */
function modelSettings(values: Values, set: ReturnType<typeof required>) {
  if (!hasModel(values)) return null;
  const isOpenAi = values.OPENAI_API_KEY !== undefined || values.OPENAI_BASE_URL !== undefined;
  const answer = isOpenAi || set.OPENAI_MODEL !== SETTINGS.OPENAI_MODEL.default ? set.OPENAI_MODEL : GEMINI;
  const baseUrl = isOpenAi ? values.OPENAI_BASE_URL : GOOGLE_BASE_URL;
  const apiKey = isOpenAi ? values.OPENAI_API_KEY : values.GOOGLE_API_KEY;
  // Google has no server for speech: the model itself listens.
  const listens = !isOpenAi && values.OPENAI_TRANSCRIBE_BASE_URL === undefined;
  return {
    apiKey: apiKey ?? 'not-needed',
    /** Google's key stays with Google. */
    transcribeKey: (isOpenAi || listens ? apiKey : undefined) ?? 'not-needed',
    baseUrl,
    answer,
    summary: values.OPENAI_SUMMARY_MODEL ?? answer,
    analysis: values.OPENAI_ANALYSIS_MODEL ?? answer,
    transcribe: listens ? answer : set.OPENAI_TRANSCRIBE_MODEL,
    transcribeBaseUrl: values.OPENAI_TRANSCRIBE_BASE_URL ?? baseUrl,
    /** Recordings are shown to a chat model, instead of uploaded to a server for speech. */
    listens,
  };
}

function hasModel({ OPENAI_API_KEY, OPENAI_BASE_URL, GOOGLE_API_KEY }: Values): boolean {
  return OPENAI_API_KEY !== undefined || OPENAI_BASE_URL !== undefined || GOOGLE_API_KEY !== undefined;
}

/** https://ai.google.dev/gemini-api/docs/openai */
const GOOGLE_BASE_URL = 'https://generativelanguage.googleapis.com/v1beta/openai';
const GEMINI = 'gemini-3.8-flash';

/** What WhatsApp's rules are about, see `docs/policy.md`. */
function policySettings(values: Values, set: ReturnType<typeof required>) {
  return {
    commands: set.COMMANDS,
    aiDisclosure: set.AI_DISCLOSURE,
    handoff: {
      reply: set.HANDOFF_REPLY,
      overReply: set.HANDOFF_OVER_REPLY,
      humanContact: values.HUMAN_CONTACT ?? null,
      openingHours: values.OPENING_HOURS ?? null,
      silentMs: Math.round(set.HANDOFF_HOURS * 3_600_000),
      afterFailures: set.HANDOFF_AFTER_FAILURES,
      webhookUrl: values.HANDOFF_WEBHOOK_URL,
    },
    stopReply: set.STOP_REPLY,
    startReply: set.START_REPLY,
  };
}

function twilioSettings(values: Values, apiBaseUrl: string) {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = values;
  if (!accountSid || !authToken) return null;
  return {
    accountSid,
    authToken,
    secondaryToken: values.TWILIO_AUTH_TOKEN_SECONDARY,
    number: values.TWILIO_WHATSAPP_NUMBER?.replace(/^whatsapp:/, '').replace(/^\+/, ''),
    messagingServiceSid: values.TWILIO_MESSAGING_SERVICE_SID,
    apiBaseUrl: apiBaseUrl.replace(/\/+$/, ''),
  };
}

function metaSettings(values: Values, set: ReturnType<typeof required>) {
  const { ACCESS_TOKEN: accessToken, PHONE_NUMBER_ID: ids, VERIFY_TOKEN: verifyToken } = values;
  if (!accessToken || !ids || !verifyToken) return null;
  return {
    accessToken,
    /** Of our numbers; the first sends when nobody says from which. */
    phoneNumberIds: ids.split(',').map((id) => id.trim()),
    verifyToken,
    accountId: values.BUSINESS_ACCOUNT_ID,
    /** Null accepts what is not signed. */
    appSecret: set.META_VALIDATE_SIGNATURE ? (values.META_APP_SECRET ?? null) : null,
    apiBase: set.GRAPH_API_BASE,
  };
}

/** Is there anybody who could bring a message? */
function hasProvider({ TWILIO_ACCOUNT_SID, ACCESS_TOKEN }: Values): boolean {
  return TWILIO_ACCOUNT_SID !== undefined || ACCESS_TOKEN !== undefined;
}

/** Where Redis is; `embedded` when no REDIS_ setting says otherwise. */
export type RedisSettings =
  | { kind: 'embedded' }
  | { kind: 'url'; url: string }
  | { kind: 'host'; host: string; port: number; password: string | undefined }
  | { kind: 'cluster'; nodes: { host: string; port: number }[]; password: string | undefined };

function redisSettings(values: Values, port: number): RedisSettings {
  const password = values.REDIS_PASSWORD;
  if (values.REDIS_CLUSTER_NODES) {
    const nodes = values.REDIS_CLUSTER_NODES.split(',').map((node) => {
      const colon = node.lastIndexOf(':');
      return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
    });
    return { kind: 'cluster', nodes, password };
  }
  if (values.REDIS_URL) return { kind: 'url', url: values.REDIS_URL };
  if (values.REDIS_HOST) return { kind: 'host', host: values.REDIS_HOST, port, password };
  return { kind: 'embedded' };
}

/** What the rows say together. Each sentence names the settings and the way out. */
function contradictions(values: Values): string[] {
  const problems: string[] = [];
  if (values.REDIS_PASSWORD && !values.REDIS_HOST && !values.REDIS_CLUSTER_NODES)
    problems.push(
      'REDIS_PASSWORD: belongs to REDIS_HOST or REDIS_CLUSTER_NODES, and neither is given. ' +
        'Give one of them, or put the password into REDIS_URL (redis://:password@host:6379).',
    );
  if (values.TWILIO_ACCOUNT_SID && !values.TWILIO_AUTH_TOKEN)
    problems.push('TWILIO_AUTH_TOKEN: is missing beside TWILIO_ACCOUNT_SID. Copy it from the Twilio Console.');
  if (values.TWILIO_AUTH_TOKEN && !values.TWILIO_ACCOUNT_SID)
    problems.push('TWILIO_ACCOUNT_SID: is missing beside TWILIO_AUTH_TOKEN. Copy it from the Twilio Console.');
  problems.push(...whatMetaNeeds(values));
  if (hasProvider(values) && !hasModel(values))
    problems.push(
      'OPENAI_API_KEY, OPENAI_BASE_URL or GOOGLE_API_KEY: is missing while a provider is configured, so nothing could answer the people who write. ' +
        'Give a key, or the address of an OpenAI-compatible server.',
    );
  if (values.SYSTEM_PROMPT && values.SYSTEM_PROMPT_FILE)
    problems.push('SYSTEM_PROMPT, SYSTEM_PROMPT_FILE: only one of the two can be given. Remove one.');
  if (values.BUSINESS_PURPOSE && values.BUSINESS_FILE)
    problems.push('BUSINESS_PURPOSE, BUSINESS_FILE: only one of the two can be given. Remove one.');
  if (values.ROLE !== 'all') problems.push(...whatIsNotShared(values));
  if (values.SIMULATOR === 'off' && !hasProvider(values))
    problems.push(
      'SIMULATOR: is off, but no provider is configured, so no message could ever arrive. ' +
        "Give TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or Meta's ACCESS_TOKEN, or set SIMULATOR=auto.",
    );
  return problems;
}

/** All of it or nothing. */
function whatMetaNeeds(values: Values): string[] {
  const { ACCESS_TOKEN, PHONE_NUMBER_ID, META_APP_SECRET, META_VALIDATE_SIGNATURE, VERIFY_TOKEN } = values;
  const { BUSINESS_ACCOUNT_ID, FIRST_CONTACT_TEMPLATE } = values;
  if (!ACCESS_TOKEN && !PHONE_NUMBER_ID) return [];
  const problems: string[] = [];
  const greeting = templateRef(FIRST_CONTACT_TEMPLATE ?? '');
  if (greeting && 'name' in greeting && !BUSINESS_ACCOUNT_ID)
    problems.push(
      'BUSINESS_ACCOUNT_ID: is missing beside FIRST_CONTACT_TEMPLATE, so nobody could tell whether the template can be sent. Copy it from the WhatsApp Manager.',
    );
  if (!ACCESS_TOKEN)
    problems.push("ACCESS_TOKEN: is missing beside PHONE_NUMBER_ID. Make one for a system user in Meta's settings.");
  if (!PHONE_NUMBER_ID)
    problems.push('PHONE_NUMBER_ID: is missing beside ACCESS_TOKEN. Copy it from the WhatsApp Manager.');
  if (!VERIFY_TOKEN)
    problems.push('VERIFY_TOKEN: is missing beside ACCESS_TOKEN. Choose a word, and give Meta the same one.');
  if (!META_APP_SECRET && META_VALIDATE_SIGNATURE)
    problems.push(
      "META_APP_SECRET: is missing beside ACCESS_TOKEN, so nobody could tell Meta's webhooks from anybody else's. " +
        'Copy it from the basic settings of the app, or set META_VALIDATE_SIGNATURE=false for a local experiment.',
    );
  return problems;
}

/** Two machines share both stores and the provider. */
function whatIsNotShared(values: Values): string[] {
  const missing = [
    ...(values.REDIS_URL || values.REDIS_HOST || values.REDIS_CLUSTER_NODES ? [] : ['REDIS_URL']),
    ...(values.DATABASE_URL ? [] : ['DATABASE_URL']),
    ...(hasProvider(values) ? [] : ['TWILIO_ACCOUNT_SID or ACCESS_TOKEN']),
    ...(values.ROLE === 'desk' && !values.ADMIN_PASSWORD ? ['ADMIN_PASSWORD'] : []),
  ];
  if (missing.length === 0) return [];
  return [
    `ROLE: is ${values.ROLE}, and bot and desk share what is missing: ${missing.join(', ')}. Give it, or leave ROLE empty.`,
  ];
}

/** The operator's prices, or those of the project. */
function readPrices(values: Values, problems: string[]): PriceTable {
  const json = readFile('MODEL_PRICES', values, problems);
  try {
    return readPriceTable(json || undefined);
  } catch (error) {
    problems.push(
      `MODEL_PRICES: ${shownPath(values.MODEL_PRICES ?? '')} cannot be used: ${error instanceof Error ? error.message : error}. ` +
        'Correct it, see "Prices" in docs/costs.md, or leave MODEL_PRICES empty.',
    );
    return readPriceTable();
  }
}

/** Nobody knows what one currency is worth in another. */
function otherCurrency({ MONTHLY_BUDGET: budget }: Values, prices: PriceTable): string[] {
  if (!budget || budget.currency === prices.currency) return [];
  return [
    `MONTHLY_BUDGET: is in ${budget.currency}, but the prices of models are in ${prices.currency}. ` +
      `Give the budget in ${prices.currency}, or prices in ${budget.currency} by MODEL_PRICES.`,
  ];
}

/** What the file that a setting names holds; undefined when it names none. */
function readFile(
  name: 'BUSINESS_FILE' | 'SYSTEM_PROMPT_FILE' | 'ANALYSIS_PROMPT_FILE' | 'MODEL_PRICES',
  values: Values,
  problems: string[],
): string | undefined {
  const path = values[name];
  if (!path) return undefined;
  try {
    const content = readFileSync(path, 'utf8').trim();
    if (content === '') problems.push(`${name}: ${path} is empty. Write the text into it, or leave ${name} empty.`);
    return content;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : 'unknown';
    problems.push(`${name}: cannot be read (${reason}): ${shownPath(path)}. Check the path and its permissions.`);
    return undefined;
  }
}

function row<Schema extends z.ZodType>(schema: Schema, defaultValue: string, meaning: string) {
  return { schema, default: defaultValue, meaning };
}

/** The settings that have a default are never undefined once all rows were read. */
function required(values: Values) {
  return values as { [Name in keyof Values]: NonNullable<Values[Name]> };
}

/**
 * What was given, where a number or one of a few words was expected and it looks like one. All else may be a secret in the wrong place,
 * or have one in it.
 */
function shown(schema: z.ZodType, raw: string): string {
  const isHarmless = PLAIN_VALUES.has(schema) && /^[\w.-]{1,20}$/.test(raw);
  return isHarmless ? JSON.stringify(raw) : `${raw.length} characters (not shown)`;
}

function plain<Schema extends z.ZodType>(schema: Schema): Schema {
  PLAIN_VALUES.add(schema);
  return schema;
}

/** What looks like a path; a secret or a prompt in its place does not. */
function shownPath(path: string): string {
  return /^[\w.~/\\:-]{1,300}$/.test(path) && /[./]/.test(path) ? path : `${path.length} characters (not shown)`;
}

/** A token goes there with every call. */
function isSafeForSecrets(given: string): boolean {
  const { protocol, hostname } = URL.canParse(given) ? new URL(given) : { protocol: '', hostname: '' };
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** People paste the whole address of the webhook: what is below it is made of it here. */
function withoutWebhookPath(given: string): string {
  return given
    .replace(/\/+$/, '')
    .replace(/\/(whatsapp|whatsapp-endpoint|api\/whatsapp(\/webhook)?|twilio\/status|webhook)$/, '');
}

function hasPorts(nodes: string): boolean {
  return nodes.split(',').every((node) => {
    const port = Number(node.slice(node.lastIndexOf(':') + 1));
    return port >= 1 && port <= 65_535;
  });
}

/** As Standard Webhooks 1.0.0 writes secrets. */
function isWebhookSecret(given: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(given) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return false;
  const { length } = Buffer.from(base64, 'base64');
  return length >= 24 && length <= 64;
}

function integer(least: number, most: number) {
  const expected = `expected a whole number from ${least} to ${most}`;
  return plain(
    z
      .string()
      .regex(/^-?\d+$/, expected)
      .transform(Number)
      .refine((n) => n >= least && n <= most, expected),
  );
}

function number(least: number, most: number) {
  const expected = `expected a number from ${least} to ${most}`;
  return plain(
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/, expected)
      .transform(Number)
      .refine((n) => n >= least && n <= most, expected),
  );
}

function flag() {
  return plain(
    z
      .enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], { error: 'expected true or false' })
      .transform((word) => ['true', '1', 'yes', 'on'].includes(word)),
  );
}

function choice<const Words extends readonly [string, ...string[]]>(words: Words, params: { error: string }) {
  return plain(z.enum(words, params));
}

function text() {
  return z.string();
}

/** A comma list of secrets, none of which can be guessed by trying. */
function keys(least: number) {
  const expected = `expected keys of at least ${least} characters each (openssl rand -hex 24 makes a good one)`;
  return z
    .string()
    .transform((given) =>
      given
        .split(',')
        .map((key) => key.trim())
        .filter(Boolean),
    )
    .refine((all) => all.every((key) => key.length >= least), expected);
}

function pattern(shape: RegExp, expected: string) {
  return z.string().regex(shape, `expected ${expected}`);
}

function url(protocols: string[]) {
  const expected = `expected an address that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return z.string().refine((given) => URL.canParse(given) && protocols.includes(new URL(given).protocol), expected);
}

/** `50 USD`. @returns null when it is no amount above 0 with a currency */
function readBudget(given: string): Money | null {
  const [, amount = '', currency = ''] = /^(\S+)\s*([A-Z]{3})$/.exec(given.toUpperCase()) ?? [];
  const billionths = readAmount(amount);
  return billionths ? { billionths, currency } : null;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
