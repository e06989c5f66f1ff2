-- Stores one inbound message, and hands the contact to the caller when no turn is running.
--
-- Guarantee: "seen" and "stored" are one step. After a return the message waits in the mailbox, or it was stored before.
-- A known id that still waits while no turn is running starts one: so a provider's repeat continues unfinished work.
-- Nothing of a contact expires while they have work, that is, while they are in the due index.
-- A known id whose answer went out in a webhook's response not long ago has probably lost that answer: nobody repeats what arrived. Its
-- reply becomes a reply record again, once.
-- A reply record without a lease belongs to a turn that ended early: it is returned, to be delivered first.
-- What spam is recognised by is counted with the message, a repeat not. The counters expire, and have a bounded number of fields: what is
-- over it is not counted.
--
-- KEYS 1 seen  2 mailbox  3 lease  4 state  5 history  6 reply  7 due  8 events  9 rate  10 alias  11 handed: replies (JSON: messages, id,
-- conversation, to, parts, at, purpose)  12 processes  13 spam  14 texts  15 blocks
-- ARGV 1 message id              2 message (JSON)        3 lease of the caller: '<process> <turn>'; '' when it starts no turn
--      4 lease (ms)              5 how long ids are remembered (ms)
--      6 idle time after which an alias expires (ms)      7 event (JSON)
--      8 most entries in the event stream                 9 contact id
--     10 profile name, '' when unknown                   11 most history lines to return
--     12 most waiting messages to return                13 how long the messages of a contact are counted together (ms)
--     14 thread: <channel>:<business>                   15 the address the message came from
--     16 names the words of the message, '' when they are not compared   17 '1' when it has a link
--     18 the numbers around the contact's, '' when it has none           19 how long is counted to recognise spam (ms)
--     20 most texts of a contact that are compared                       21 most fields of texts and of blocks
--     22 'opt-out' or 'opt-in' when the message says so, else ''   23 '1' when a word of ours is to confirm that
--     24 how long ago it was sent (ms): one that comes late does not open the 24 hours anew; 0 = just now
--     25 who owns the thread, as the way that the message came shows it: a mark, see `threads.ts`; 0 = it shows nothing
--
-- State hash: summary, version (of the summary), tokens (of the history), profile, turns, rolling (unix ms until which a process
-- folds the history into the summary), rollFailures (how many times in a row that failed because of what was folded), attempts (at
-- what waits now), holders (the processes that worked at it since one last gave it back in order; those that are gone crashed over it),
-- standing (1: block, opt-out and takeover were compared with the archive), blocked, optedOut (since when, unix ms; while either exists, the
-- hash has no expiry), optedIn (when they last agreed, unix ms), departure (names a move to another contact that has begun),
-- merged@<departure> (that memory was added). Of each thread: lastInbound@<thread> (unix ms), from@<thread> (the address to answer to),
-- takeover@<thread> (unix ms until which a person answers instead of the model), takeoverMs@<thread> (by how much a person's message
-- prolongs it), confirm@<thread> ('opt-out' or 'opt-in': that was said there, and is to be confirmed),
-- handoff@<thread> (unix ms until which it waits for a person, and the bot is silent), why@<thread> (JSON),
-- told@<thread> (of which handoff@ the team was told), failures@<thread> (answers in a row that failed),
-- asked@<thread> (what the bot asked last, to be answered with yes or no, and when: `reset:<unix ms>`),
-- owner@<thread> (who owns it, see `threads.ts`: a mark that only grows, odd while another responder does).
-- disclosed names the turn whose reply said that software answers.
-- Of spam: throttled (unix ms until which the contact is not answered), excused (unix ms until which the team says that it is none).
--
-- Spam hash: messages, links (that had one), new (the contact was new), w<words> (messages with the same words), recorded, recordedAt
-- (see `suspect`).
--
-- Returns {'moved', contact}  this contact is an alias of that one: nothing was changed
--         {'known'}    the id was accepted before, and it was answered for certain or a turn is running
--         {'waiting', counts}  stored; the running turn will see it, or it is due at once for whoever starts a turn
--         {'turn', state (field, value, …), history lines (JSON array), waiting messages, {id, conversation, to, parts, via, at, purpose, template} of a
--          reply, how many processes crashed over it, counts}
--                      stored; the lease is the caller's
--          counts are of this contact: messages in this minute and in this hour; of these, with the same words and with a link (0 when this
--          one has none); how many contacts wrote these words, how many are new around its number, the score that is recorded. Of a
--          repeat only the first is told.
local seen, mailbox, lease, state, history = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local reply, due, events, rate = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local idle, thread = ARGV[6], ARGV[14]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spam, texts, blocks, words, block, windowMs = KEYS[13], KEYS[14], KEYS[15], ARGV[16], ARGV[18], ARGV[19]
local counts

local moved = redis.call('GET', KEYS[10])
if moved then
  redis.call('PEXPIRE', KEYS[10], idle)
  return { 'moved', moved }
end
-- Makes a reply record of the reply that answered this message; false when none did, or another reply waits.
local function takeBack(id)
  if redis.call('EXISTS', reply) == 1 then return false end
  for _, entry in ipairs(redis.call('LRANGE', KEYS[11], 0, -1)) do
    local handed = cjson.decode(entry)
    for _, message in ipairs(handed.messages) do
      if message == id then
        redis.call('LREM', KEYS[11], 1, entry)
        redis.call('HSET', reply, 'id', handed.id, 'conversation', handed.conversation, 'to', handed.to, 'parts', handed.parts,
          'via', 'response', 'at', handed.at, 'purpose', handed.purpose or '')
        return true
      end
    end
  end
  return false
end

-- Adds 1 to a field of a hash that expires; 0 when it has so many others that this one is not counted.
local function increase(hash, field, most)
  local count = redis.call('HINCRBY', hash, field, 1)
  if count > 1 then return count end
  local fields = redis.call('HLEN', hash)
  if fields == 1 then redis.call('PEXPIRE', hash, windowMs) end
  if fields <= tonumber(most) then return 1 end
  redis.call('HDEL', hash, field)
  return 0
end
-- Before anything else of the message is stored: whether the contact is new shows in its state. It is counted once for its words and once
-- for its number, so these are numbers of contacts. Words are compared with those of others when the contact is new, or has a link.
local function countSpam()
  local messages = redis.call('HINCRBY', spam, 'messages', 1)
  local isNew, recorded = false, 0
  if messages == 1 then
    redis.call('PEXPIRE', spam, windowMs)
    isNew = redis.call('EXISTS', state) == 0
    if isNew then redis.call('HSET', spam, 'new', 1) end
  else
    local known = redis.call('HMGET', spam, 'new', 'recorded')
    isNew, recorded = known[1] == '1', tonumber(known[2] or 0)
  end
  local links = ARGV[17] == '1' and redis.call('HINCRBY', spam, 'links', 1) or 0
  local same, writers, newcomers = 0, 0, 0
  if words ~= '' then same = increase(spam, 'w' .. words, ARGV[20]) end
  if words ~= '' and (isNew or links > 0) then
    writers = same == 1 and increase(texts, words, ARGV[21]) or tonumber(redis.call('HGET', texts, words) or 0)
  end
  if block ~= '' and isNew then
    newcomers = messages == 1 and increase(blocks, block, ARGV[21]) or tonumber(redis.call('HGET', blocks, block) or 0)
  end
  return { messages, same, links, writers, newcomers, recorded }
end

local busy = redis.call('EXISTS', lease) == 1
local isKnown = redis.call('ZADD', seen, 'NX', now, ARGV[1]) == 0
if isKnown then
  if busy or (redis.call('LLEN', mailbox) == 0 and not takeBack(ARGV[1])) then return { 'known' } end
else
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - tonumber(ARGV[5]))
  redis.call('PEXPIRE', seen, ARGV[5])
  redis.call('RPUSH', mailbox, ARGV[2])
  counts = countSpam()
  local sentAt = now - tonumber(ARGV[24])
  if sentAt == now or sentAt > tonumber(redis.call('HGET', state, 'lastInbound@' .. thread) or '0') then
    redis.call('HSET', state, 'lastInbound@' .. thread, sentAt, 'from@' .. thread, ARGV[15])
  end
  if tonumber(ARGV[25]) > tonumber(redis.call('HGET', state, 'owner@' .. thread) or '0') then
    redis.call('HSET', state, 'owner@' .. thread, ARGV[25])
  end
  if ARGV[10] ~= '' then redis.call('HSET', state, 'profile', ARGV[10]) end
  redis.call('XADD', events, 'MAXLEN', '~', ARGV[8], '*', 'event', ARGV[7])
  local written = redis.call('INCR', rate)
  if written == 1 then redis.call('PEXPIRE', rate, ARGV[13]) end
  table.insert(counts, 1, written)
  -- From here on nothing is sent to somebody who opted out, whatever is being written to them.
  -- What comes late does not undo what they said since.
  local isChanged = false
  local function saidAt(field) return tonumber(redis.call('HGET', state, field) or '0') end
  if ARGV[22] == 'opt-out' and sentAt >= saidAt('optedIn') then
    isChanged = redis.call('HSETNX', state, 'optedOut', sentAt) == 1
    redis.call('HDEL', state, 'optedIn')
  elseif ARGV[22] == 'opt-in' and sentAt >= saidAt('optedOut') then
    isChanged = redis.call('HDEL', state, 'optedOut') == 1
    -- The state has outlived the memory: they are told anew that software answers.
    if redis.call('EXISTS', history) == 0 then redis.call('HDEL', state, 'disclosed') end
    redis.call('HSET', state, 'optedIn', sentAt)
  end
  if isChanged and ARGV[23] == '1' then redis.call('HSET', state, 'confirm@' .. thread, ARGV[22]) end
end
counts = counts or { tonumber(redis.call('GET', rate) or 0) }
redis.call('PERSIST', mailbox)
redis.call('PERSIST', state)
redis.call('PERSIST', history)
if busy then
  redis.call('ZADD', due, 'NX', now + tonumber(ARGV[4]), ARGV[9])
  return { 'waiting', counts }
end
if ARGV[3] == '' then
  redis.call('ZADD', due, now, ARGV[9])
  return { isKnown and 'known' or 'waiting', counts }
end

-- Who held it last is not counted as a crash, only what the sweep finds: somebody who goes on writing while processes come and go is
-- answered, and not given up.
local process, crashes = string.match(ARGV[3], '^%S+'), 0
local holders = string.gsub(redis.call('HGET', state, 'holders') or '', '%S+$', '')
for holder in string.gmatch(holders, '%S+') do
  if (redis.call('ZSCORE', KEYS[12], holder) or '0') == '0' then crashes = crashes + 1 end
end
if not string.find(holders, process, 1, true) then redis.call('HSET', state, 'holders', holders .. process) end
redis.call('SET', lease, ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', due, now + tonumber(ARGV[4]), ARGV[9])
return {
  'turn',
  redis.call('HGETALL', state),
  '[' .. table.concat(redis.call('LRANGE', history, -tonumber(ARGV[11]), -1), ',') .. ']',
  redis.call('LRANGE', mailbox, 0, ARGV[12] - 1),
  redis.call('HMGET', reply, 'id', 'conversation', 'to', 'parts', 'via', 'at', 'purpose', 'template'),
  crashes,
  counts,
}
