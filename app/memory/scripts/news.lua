-- Keeps what a provider told of an account of ours.
--
-- Guarantee: what is older than the known one changes nothing, however late it comes. There is a bounded number of subjects.
--
-- KEYS 1 account: subject → JSON with at (unix ms)
-- ARGV 1 subject   2 at (unix ms)   3 what was told (JSON)   4 most subjects that are known before one is added; 0 = however many
--
-- Returns 1 when it is news, else 0
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known == ARGV[3] then return 0 end
if known and cjson.decode(known).at > tonumber(ARGV[2]) then return 0 end
if not known and ARGV[4] ~= '0' and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
