-- Makes an answer final: history, mailbox, reply record and event change together or not at all.
--
-- Guarantee: only the holder of the lease can commit. Messages that came in since the caller looked are never counted as answered: they
-- are returned (while the caller may ask again), or stay in the mailbox. The reply is recorded here, before it is sent; the lease stays
-- until `finish`.
--
-- KEYS 1 lease  2 mailbox  3 history  4 state  5 reply  6 due  7 events  8 handoffs
-- ARGV 1 lease of the caller     2 turn id               3 how many waiting messages the answer is for
--      4 how many messages the caller can answer at most  5 lease (ms)
--      6 contact id
--      7 tokens that the lines add                        8 tokens at which the history is rolled
--      9 event (JSON)                                    10 most entries in the event stream
--     11 the reply's parts (JSON array), '' when there is nothing to send
--     12 via ('response' or 'call')                      13 conversation id         14 the address the reply goes to
--     15 thread: <channel>:<business>                    16 '1' when block and takeover were compared with the archive
--     17 lines at which the history is rolled, however short they are
--     18 the reply's purpose: 'opt-out' or 'opt-in' when it confirms that, 'handoff' when it says that a person is called, else ''
--     19 '1' when the reply says that software answers   20 so long the bot is silent, because a person is called (ms); 0 = it is not
--     21 '1' when the model failed, '0' when it did not, '' when it was not asked
--     22 why a person is called (JSON), '' when none is
--     23 what the reply asks, '' = nothing   24 '1' when history and summary go, but for the new lines
--     25 the template that the reply is (JSON), '' when it is none
--     26… the new history lines (JSON), oldest first; may be none
--
-- Returns {'lost'}                     the lease belongs to another turn: nothing was changed
--         {'quiet', 'blocked', 'standby', 'opted out' or 'takeover'}   meanwhile the contact was blocked or opted out, another responder
--          owns the thread, or a person took over: nothing was changed. What confirms an opt-out goes out once, also to a conversation
--          that a person took over; nothing goes out in a thread that another responder owns.
--         {'more', waiting messages}   these came in meanwhile: nothing was changed, the lease is renewed
--         {'committed', roll}          roll is 1 when the caller should fold the history into the summary, else 0
local lease, mailbox, history, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local reply, due, events = KEYS[5], KEYS[6], KEYS[7]
local taken, leaseMs = tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('GET', lease) ~= ARGV[1] then return { 'lost' } end
redis.call('PEXPIRE', lease, leaseMs)
redis.call('ZADD', due, now + leaseMs, ARGV[6])
if ARGV[11] ~= '' then
  local isOut = redis.call('HEXISTS', state, 'optedOut') == 1
  local isOwed = (ARGV[18] == 'opt-out' or ARGV[18] == 'opt-in') and redis.call('HGET', state, 'confirm@' .. ARGV[15]) == ARGV[18]
  if redis.call('HEXISTS', state, 'blocked') == 1 then return { 'quiet', 'blocked' } end
  if tonumber(redis.call('HGET', state, 'owner@' .. ARGV[15]) or '0') % 2 == 1 then return { 'quiet', 'standby' } end
  if isOut ~= (ARGV[18] == 'opt-out') or (isOut and not isOwed) then return { 'quiet', 'opted out' } end
  if not isOwed and tonumber(redis.call('HGET', state, 'takeover@' .. ARGV[15]) or '0') > now then return { 'quiet', 'takeover' } end
end
if tonumber(ARGV[4]) > taken and redis.call('LLEN', mailbox) > taken then
  return { 'more', redis.call('LRANGE', mailbox, taken, ARGV[4] - 1) }
end

local length = 0
if ARGV[24] == '1' then
  redis.call('DEL', history)
  redis.call('HDEL', state, 'summary', 'tokens')
  redis.call('HINCRBY', state, 'version', 1)
end
if #ARGV >= 26 then
  length = redis.call('RPUSH', history, unpack(ARGV, 26))
  -- The first lines of a history that had expired: what was counted before is gone with it.
  if length == #ARGV - 25 then redis.call('HDEL', state, 'tokens') end
end
redis.call('LTRIM', mailbox, taken, -1)
redis.call('HINCRBY', state, 'turns', 1)
if ARGV[16] == '1' then redis.call('HSET', state, 'standing', 1) end
-- Version 0.2.0 counted `crashes`.
redis.call('HDEL', state, 'attempts', 'crashes')
redis.call('HSET', state, 'holders', string.match(ARGV[1], '^%S+'))
redis.call('XADD', events, 'MAXLEN', '~', ARGV[10], '*', 'event', ARGV[9])
if ARGV[11] ~= '' then
  redis.call('HSET', reply, 'id', ARGV[2], 'conversation', ARGV[13], 'to', ARGV[14], 'parts', ARGV[11], 'via', ARGV[12],
    'at', now, 'purpose', ARGV[18], 'template', ARGV[25])
  redis.call('HDEL', state, 'confirm@' .. ARGV[15], 'asked@' .. ARGV[15])
  if ARGV[23] ~= '' then redis.call('HSET', state, 'asked@' .. ARGV[15], ARGV[23] .. ':' .. now) end
end
if ARGV[19] == '1' then redis.call('HSET', state, 'disclosed', ARGV[2]) end
if ARGV[21] == '1' then redis.call('HINCRBY', state, 'failures@' .. ARGV[15], 1) end
if ARGV[21] == '0' then redis.call('HDEL', state, 'failures@' .. ARGV[15]) end
if ARGV[20] ~= '0' then
  local silentUntil = now + ARGV[20]
  redis.call('HSET', state, 'takeover@' .. ARGV[15], silentUntil, 'handoff@' .. ARGV[15], silentUntil,
    'why@' .. ARGV[15], ARGV[22])
  redis.call('HDEL', state, 'takeoverMs@' .. ARGV[15])
  redis.call('ZADD', KEYS[8], now, ARGV[13])
end

local tokens = redis.call('HINCRBY', state, 'tokens', ARGV[7])
if tokens <= tonumber(ARGV[8]) and length <= tonumber(ARGV[17]) then return { 'committed', 0 } end
local rolling = tonumber(redis.call('HGET', state, 'rolling') or '0')
if rolling > now then return { 'committed', 0 } end
redis.call('HSET', state, 'rolling', now + 2 * leaseMs)
return { 'committed', 1 }
