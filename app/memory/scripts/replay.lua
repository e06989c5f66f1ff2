-- Puts a dead letter back to work: its messages wait again, its reply is to be delivered again.
--
-- Guarantee: a dead letter is replayed once, whoever asks at the same time; a reply that is being delivered now is never
-- overwritten, and nothing is put in front of the messages that a turn is answering.
--
-- KEYS 1 mailbox  2 reply  3 due  4 dead  5 lease  6 state
-- ARGV 1 id of the dead letter   2 conversation id   3 now (unix ms)   4 idle time after which the memory goes (ms)
--      5 the reply's text, '' for none   6 when the reply was recorded (unix ms): what was sent since then is not sent again
--      7 the reply's id: that of the turn that made it, so that history and provider still know it
--      8… the messages (JSON), oldest first
--
-- Returns 1 when it was put back, 0 when there is no such dead letter, -1 when somebody is at the conversation, or the contact
-- is blocked: try again later
local mailbox, reply, due, dead, lease, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

if redis.call('EXISTS', lease) == 1 then return -1 end
if ARGV[5] ~= '' and redis.call('EXISTS', reply) == 1 then return -1 end
if redis.call('HEXISTS', state, 'blocked') == 1 then return -1 end
if tonumber(redis.call('HGET', state, 'takeover') or '0') > tonumber(ARGV[3]) then return -1 end
if redis.call('XDEL', dead, ARGV[1]) == 0 then return 0 end
if ARGV[5] ~= '' then
  redis.call('HSET', reply, 'id', ARGV[7], 'text', ARGV[5], 'via', 'rest', 'at', ARGV[6], 'state', 'sending')
  redis.call('PEXPIRE', reply, ARGV[4])
end
for i = #ARGV, 8, -1 do redis.call('LPUSH', mailbox, ARGV[i]) end
if #ARGV >= 8 then redis.call('PEXPIRE', mailbox, ARGV[4]) end
redis.call('ZADD', due, ARGV[3], ARGV[2])
if redis.call('EXISTS', state) == 1 then redis.call('HSET', state, 'crashes', -1) end
return 1
