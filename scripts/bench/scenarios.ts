/** The scenarios of the bot alone: floor and bot are loaded in turns, so that what slows this machine for a while slows both. */
import { AT_ONCE, LONG, type Load, type Manners, type Measure, type Measured, SHORT } from './measure.ts';
import type { ModelOrder } from './model.ts';
import { sendPhotos } from './pictures.ts';
import { perMessage } from './redis.ts';
import { type Group, groupsOf, type Pair } from './rows.ts';
import type { Sizes } from './sizes.ts';
import type { Contestant, Stage } from './stage.ts';
import { forgetPeak, usageOf } from './usage.ts';

export interface Scene {
  stage: Stage;
  bot: Contestant;
  measure: Measure;
  sizes: Sizes;
  failures: string[];
  say: (line: string) => void;
}

/** On each connection. */
const PEOPLE_WITH_HISTORIES = 4;
const PHOTOS = 20;

export async function perform(scene: Scene): Promise<{ groups: Group[]; redisCommands: Record<string, number> }> {
  const people = crowd();
  const busy = await busyPeople(scene, people);
  const long = await longHistories(scene, people);
  const { waited, memory } = await slowModel(scene, people);
  const { alone, talk } = await oneConversation(scene, people);
  const peakMb = await photosAtOnce(scene);
  const { sizes } = scene;
  return {
    groups: groupsOf({ busy, long, waited, memory, alone, talk, peakMb, sizes, photos: PHOTOS }),
    redisCommands: perMessage(talk.redis, talk.messages),
  };
}

/** Numbers of people who have not written yet. */
export type Crowd = (people: number) => number;

/** @returns a function that gives the first of so many new people */
export function crowd(): Crowd {
  let next = 1;
  return (people) => {
    const first = next;
    next += people;
    return first;
  };
}

async function busyPeople(scene: Scene, people: Crowd): Promise<Pair<Measured>> {
  const { concurrent, turns, peoplePerConnection, rounds } = scene.sizes;
  scene.say(`${concurrent} people at once, the model answers at once`);
  const order = (): Load => {
    const firstPerson = people(concurrent * peoplePerConnection);
    return { ...SHORT, concurrent, firstTurn: 1, turns, staggerMs: 0, peoplePerConnection, firstPerson };
  };
  for (const who of [scene.stage.floor, scene.bot]) await scene.measure(who, order(), AT_ONCE, 'warming up');
  return inTurns(scene, 'messages', rounds, order, AT_ONCE);
}

async function longHistories(scene: Scene, people: Crowd): Promise<Pair<Measured>> {
  const { concurrent, earlier, rounds, turns: each } = scene.sizes;
  scene.say(`${concurrent} people with long histories`);
  const peoplePerConnection = PEOPLE_WITH_HISTORIES;
  const firstPerson = people(concurrent * peoplePerConnection);
  let firstTurn = 1;
  const order = (turns: number): Load => {
    const load = { ...LONG, concurrent, staggerMs: 0, peoplePerConnection, firstPerson, firstTurn, turns };
    firstTurn += turns;
    return load;
  };
  await scene.measure(scene.bot, order(earlier), AT_ONCE, 'talking for a while');
  return inTurns(scene, 'long histories', rounds, () => order(each), AT_ONCE);
}

async function slowModel(scene: Scene, people: Crowd) {
  const { rounds, people: concurrent, turns, delayMs } = scene.sizes.slow;
  const { stage, bot } = scene;
  scene.say(`${concurrent} people, the model thinks for ${delayMs} ms`);
  const slowly = { ...AT_ONCE, delayMs };
  const order = (): Load => {
    const firstPerson = people(concurrent);
    return { ...SHORT, concurrent, peoplePerConnection: 1, firstTurn: 1, turns, staggerMs: delayMs, firstPerson };
  };
  for (const who of [stage.floor, bot]) await scene.measure(who, order(), slowly, 'warming up');
  const waited = await inTurns(scene, 'a slow model', rounds, order, slowly);
  return { waited, memory: { floor: [usageOf(stage.floor.pid)], bot: [usageOf(bot.pid)] } };
}

async function oneConversation(scene: Scene, people: Crowd): Promise<{ alone: Measured; talk: Measured }> {
  const { measure, stage, bot, failures } = scene;
  const { conversation } = scene.sizes;
  scene.say(`One conversation of ${conversation} messages`);
  const order = (turns: number): Load => {
    const firstPerson = people(1);
    return { ...LONG, concurrent: 1, peoplePerConnection: 1, firstTurn: 1, turns, staggerMs: 0, firstPerson };
  };
  const alone = await measure(stage.floor, order(Math.min(200, conversation)), AT_ONCE, 'conversation');
  const talk = await measure(bot, order(conversation), { ...AT_ONCE, watch: true }, 'conversation');
  if (talk.model.forgotten > 0) failures.push(`the bot forgot the message before in ${talk.model.forgotten} prompts`);
  return { alone, talk };
}

/** @returns the bot's memory at its highest, MB */
async function photosAtOnce({ stage, bot, failures, say }: Scene): Promise<number> {
  say(`${PHOTOS} photos of 12 megapixels at once`);
  await stage.twilio.ask('photo');
  forgetPeak(bot.pid);
  await stage.model.ask({ ...AT_ONCE, words: SHORT.answerWords } satisfies ModelOrder);
  const seen = await sendPhotos(bot.port, PHOTOS);
  if (seen !== PHOTOS) failures.push(`only ${seen} of ${PHOTOS} photos were answered`);
  return usageOf(bot.pid).peakMb;
}

async function inTurns(
  { measure, stage, bot }: Scene,
  name: string,
  rounds: number,
  order: () => Load,
  manners: Manners,
): Promise<Pair<Measured>> {
  const pair: Pair<Measured> = { floor: [], bot: [] };
  const contestants = { floor: stage.floor, bot };
  for (let round = 1; round <= rounds; round++) {
    const load = order();
    // The bot remembers, the floor does not: the same people may write to both.
    for (const who of round % 2 === 1 ? FLOOR_FIRST : BOT_FIRST)
      pair[who].push(await measure(contestants[who], load, manners, `${name} ${round}/${rounds}`));
  }
  return pair;
}

const FLOOR_FIRST = ['floor', 'bot'] as const;
const BOT_FIRST = ['bot', 'floor'] as const;
