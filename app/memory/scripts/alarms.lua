-- A process says which of its alarms fire, and hears what it is to tell the operator.
--
-- Guarantee: an alarm is told once when it begins to fire in the first process, and once when it fires in none any more, by one process;
-- that it fires not more than once in a while. A process that says nothing any more does not keep an alarm firing.
--
-- Hash: <name> since when it is told to fire (unix ms), <name>@ when that was told last (unix ms), <name>#<process> when that process
-- last said that it fires (unix ms). It expires when no process says anything.
--
-- KEYS 1 alarms
-- ARGV 1 process id   2 after what silence a process does not count (ms)   3 least time between two times that an alarm is told to fire (ms)
--      4 idle time after which all is forgotten (ms)   5… name, '1' when it fires or '', name, …
--
-- Returns {name, 'firing' or 'resolved', since when it fires or fired (unix ms), name, …}
local alarms = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for i = 5, #ARGV, 2 do
  local own = ARGV[i] .. '#' .. ARGV[1]
  if ARGV[i + 1] == '1' then
    redis.call('HSET', alarms, own, now)
  else
    redis.call('HDEL', alarms, own)
  end
end
local known, firing = {}, {}
local fields = redis.call('HGETALL', alarms)
for i = 1, #fields, 2 do
  local field, value = fields[i], tonumber(fields[i + 1])
  local name = string.match(field, '^(.-)#')
  if not name then
    known[field] = value
  elseif now - value > tonumber(ARGV[2]) then
    redis.call('HDEL', alarms, field)
  else
    firing[name] = true
  end
end

local news = {}
local function tell(name, word, since)
  for _, one in ipairs({ name, word, since }) do news[#news + 1] = one end
end
for i = 5, #ARGV, 2 do
  local name = ARGV[i]
  if ARGV[i + 1] == '1' and not known[name] and now - (known[name .. '@'] or 0) >= tonumber(ARGV[3]) then
    redis.call('HSET', alarms, name, now, name .. '@', now)
    tell(name, 'firing', now)
  elseif known[name] and not firing[name] then
    redis.call('HDEL', alarms, name)
    tell(name, 'resolved', known[name])
  end
end
redis.call('PEXPIRE', alarms, ARGV[4])
return news
