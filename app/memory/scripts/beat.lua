-- A process says that it is alive, and hears which ones are not.
--
-- Guarantee: a process is counted gone when it has been silent for so long while another one could reach Redis all the time: after a
-- Redis that was away nobody is counted gone before it could say something. A process that is gone and beats again is alive.
--
-- KEYS 1 processes (by the time of their last beat, unix ms; 0 = gone)   2 places: process → where it runs (JSON)
-- ARGV 1 process id   2 where it runs (JSON)   3 since when it has beaten regularly (unix ms), as returned by the beat before; '' at first
--      4 silence after which a process is gone (ms)   5 the longest pause between two regular beats (ms)
--      6… processes that are known to have ended; may be none
--
-- Returns {Redis' time (unix ms), since when the caller has beaten regularly (unix ms), 1 when it was alive until now or 0 when it is new
-- or was counted gone, processes that are gone, places (process, JSON, …)}
local processes, places = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local goneMs = tonumber(ARGV[4])

local last = tonumber(redis.call('ZSCORE', processes, ARGV[1]) or '0')
local since = now
if last > 0 and now - last <= tonumber(ARGV[5]) then since = tonumber(ARGV[3]) or now end
redis.call('ZADD', processes, now, ARGV[1])
redis.call('HSET', places, ARGV[1], ARGV[2])
for i = 6, #ARGV do redis.call('ZADD', processes, 'XX', 0, ARGV[i]) end
if now - since >= goneMs then
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', processes, '(0', now - goneMs)) do
    redis.call('ZADD', processes, 0, silent)
  end
end
return { now, since, last > 0 and 1 or 0, redis.call('ZRANGEBYSCORE', processes, 0, 0), redis.call('HGETALL', places) }
