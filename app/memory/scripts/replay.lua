-- Puts a dead letter back to work: its messages wait again, its reply is to be delivered again.
--
-- Guarantee: a dead letter is replayed once, however many callers ask at the same time; a reply that is being delivered is never overwritten, and
-- nothing is put in front of the messages that a running turn answers.
--
-- KEYS 1 mailbox  2 reply  3 due  4 dead  5 lease  6 state  7 history
-- ARGV 1 id of the dead letter   2 contact id   3 thread: <channel>:<business>   4 conversation id
--      5 the reply's parts (JSON array), '' for none   6 when the reply was recorded (unix ms): what was sent since then is not sent again
--      7 the reply's id: that of the turn that made it, so that history and provider still know it   8 the address it goes to
--      9 the template that it is (JSON), '' for none   10… the messages (JSON), oldest first
--
-- Returns 1 when it was put back, 0 when there is no such dead letter, -1 when a turn is running, the contact is blocked or has
-- opted out, or a person took over or another responder owns the thread: try again later
local mailbox, reply, due, dead, lease, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('EXISTS', lease) == 1 then return -1 end
if ARGV[5] ~= '' and redis.call('EXISTS', reply) == 1 then return -1 end
if redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') > 0 then return -1 end
if tonumber(redis.call('HGET', state, 'takeover@' .. ARGV[3]) or '0') > now then return -1 end
if tonumber(redis.call('HGET', state, 'owner@' .. ARGV[3]) or '0') % 2 == 1 then return -1 end
if redis.call('XDEL', dead, ARGV[1]) == 0 then return 0 end
if ARGV[5] ~= '' then
  redis.call('HSET', reply, 'id', ARGV[7], 'conversation', ARGV[4], 'to', ARGV[8], 'parts', ARGV[5], 'via', 'call', 'at', ARGV[6],
    'template', ARGV[9])
end
for i = #ARGV, 10, -1 do redis.call('LPUSH', mailbox, ARGV[i]) end
for _, key in ipairs({ mailbox, state, KEYS[7] }) do redis.call('PERSIST', key) end
redis.call('ZADD', due, now, ARGV[2])
redis.call('HDEL', state, 'holders', 'crashes')
return 1
