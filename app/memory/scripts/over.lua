-- Lets the bot answer again in a conversation that waited for a person in vain, and says so.
--
-- Guarantee: it is said once, and only when nobody has come meanwhile, no turn is running, the thread is ours and they may be written to. Line, reply record and
-- event change together; the reply is delivered by the turn that finds it, like one that a crashed turn left.
--
-- KEYS 1 handoffs  2 state  3 lease  4 reply  5 mailbox  6 history  7 due  8 events
-- ARGV 1 conversation as it stands among the handoffs   2 contact id   3 thread: <channel>:<business>   4 conversation id
--      5 how long after their last message they may be written to (ms)   6 after how long to look again when a turn is running (ms)
--      7 history line (JSON)   8 tokens of the line   9 the reply's parts (JSON array)   10 the reply's id
--     11 event (JSON) when it is said; `"to":""` becomes the address   12 event (JSON) when it cannot be said
--     13 most entries in the event stream
--
-- Returns 'said', 'silent' (the bot answers again, and could not say so), 'busy' (a turn is running), 'later' (the time is not over), or 'gone'
-- (it does not wait any more)
local handoffs, state, lease, reply, mailbox, history, due, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local handoff, takeover = 'handoff@' .. ARGV[3], 'takeover@' .. ARGV[3]

local till = redis.call('HGET', state, handoff)
if not till or redis.call('HGET', state, takeover) ~= till then
  redis.call('HDEL', state, handoff)
  redis.call('ZREM', handoffs, ARGV[1])
  redis.call('XADD', events, 'MAXLEN', '~', ARGV[13], '*', 'event', ARGV[12])
  return 'gone'
end
if tonumber(till) > now then
  redis.call('ZADD', handoffs, till, ARGV[1])
  return 'later'
end
if redis.call('EXISTS', lease, reply) > 0 then
  redis.call('ZADD', handoffs, now + tonumber(ARGV[6]), ARGV[1])
  return 'busy'
end
redis.call('HDEL', state, handoff, takeover, 'why@' .. ARGV[3], 'told@' .. ARGV[3], 'asked@' .. ARGV[3])
redis.call('ZREM', handoffs, ARGV[1])
local to = redis.call('HGET', state, 'from@' .. ARGV[3])
local isOpen = now - tonumber(redis.call('HGET', state, 'lastInbound@' .. ARGV[3]) or '0') < tonumber(ARGV[5])
local isWanted = redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') == 0
local isOurs = tonumber(redis.call('HGET', state, 'owner@' .. ARGV[3]) or '0') % 2 == 0
if not (to and isOpen and isWanted and isOurs) then
  redis.call('XADD', events, 'MAXLEN', '~', ARGV[13], '*', 'event', ARGV[12])
  return 'silent'
end
if redis.call('RPUSH', history, ARGV[7]) == 1 then redis.call('HDEL', state, 'tokens') end
redis.call('HINCRBY', state, 'tokens', ARGV[8])
redis.call('HSET', reply, 'id', ARGV[10], 'conversation', ARGV[4], 'to', to, 'parts', ARGV[9], 'via', 'call', 'at', now)
for _, key in ipairs({ mailbox, state, history }) do redis.call('PERSIST', key) end
redis.call('ZADD', due, now, ARGV[2])
local said = string.gsub(ARGV[11], '"to":""', function() return '"to":' .. cjson.encode(to) end, 1)
redis.call('XADD', events, 'MAXLEN', '~', ARGV[13], '*', 'event', said)
return 'said'
