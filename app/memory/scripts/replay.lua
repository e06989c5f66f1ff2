-- Puts a dead letter back to work: its messages wait again, its reply is to be delivered again.
--
-- Guarantee: a dead letter is replayed once, however many callers ask at the same time; a reply that is being delivered is never overwritten, and
-- nothing is put in front of the messages that a running turn answers.
--
-- KEYS 1 mailbox  2 reply  3 due  4 dead  5 lease  6 state
-- ARGV 1 id of the dead letter   2 contact id   3 now (unix ms)   4 idle time after which the memory expires (ms)
--      5 thread: <channel>:<business>   6 conversation id
--      7 the reply's parts (JSON array), '' for none   8 when the reply was recorded (unix ms): what was sent since then is not sent again
--      9 the reply's id: that of the turn that made it, so that history and provider still know it   10 the address it goes to
--     11… the messages (JSON), oldest first
--
-- Returns 1 when it was put back, 0 when there is no such dead letter, -1 when a turn is running, the contact is blocked or a person
-- took over: try again later
local mailbox, reply, due, dead, lease, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

if redis.call('EXISTS', lease) == 1 then return -1 end
if ARGV[7] ~= '' and redis.call('EXISTS', reply) == 1 then return -1 end
if redis.call('HEXISTS', state, 'blocked') == 1 then return -1 end
if tonumber(redis.call('HGET', state, 'takeover@' .. ARGV[5]) or '0') > tonumber(ARGV[3]) then return -1 end
if redis.call('XDEL', dead, ARGV[1]) == 0 then return 0 end
if ARGV[7] ~= '' then
  redis.call('HSET', reply, 'id', ARGV[9], 'conversation', ARGV[6], 'to', ARGV[10], 'parts', ARGV[7], 'via', 'call', 'at', ARGV[8])
  redis.call('PEXPIRE', reply, ARGV[4])
end
for i = #ARGV, 11, -1 do redis.call('LPUSH', mailbox, ARGV[i]) end
if #ARGV >= 11 then redis.call('PEXPIRE', mailbox, ARGV[4]) end
redis.call('ZADD', due, ARGV[3], ARGV[2])
if redis.call('EXISTS', state) == 1 then redis.call('HSET', state, 'crashes', -1) end
return 1
