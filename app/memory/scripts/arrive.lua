-- Adds the memory of an alias (see `depart`) to that of its contact.
--
-- Guarantee: it is added once, however often the move is continued. Lines are in the order of their time; what waits, waits behind what
-- waited here; a block of either is a block of both; of opt-out and opt-in the later one counts.
--
-- KEYS 1 state  2 history  3 mailbox  4 seen  5 due  6 alias
-- ARGV 1 idle time after which the memory expires (ms)   2 this contact's id
--      3 the alias's state   4 its history lines   5 its waiting messages   6 its seen ids (id, unix ms, …); each a JSON array of texts
--      7 the number that the alias's own became, so that nothing goes to the old one; '' when it is still theirs
--
-- Returns {'moved', contact}  this contact is itself an alias of that one: nothing was changed
--         {'added'}           also when it was added before
local state, history, mailbox, seen, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local moved = redis.call('GET', KEYS[6])
if moved then return { 'moved', moved } end
local theirs, fields = {}, cjson.decode(ARGV[3])
for i = 1, #fields, 2 do theirs[fields[i]] = fields[i + 1] end
if redis.call('HSETNX', state, 'merged@' .. theirs.departure, now) == 0 then return { 'added' } end

if theirs.summary and theirs.summary ~= '' then
  local ours = redis.call('HGET', state, 'summary')
  redis.call('HSET', state, 'summary', ours and ours ~= '' and (ours .. '\n' .. theirs.summary) or theirs.summary)
end
redis.call('HINCRBY', state, 'version', 1)
redis.call('HINCRBY', state, 'tokens', theirs.tokens or 0)
for _, field in ipairs({ 'profile', 'disclosed' }) do
  if theirs[field] then redis.call('HSETNX', state, field, theirs[field]) end
end
local function current(address) return ARGV[7] ~= '' and string.match(address, '^%d+$') and ARGV[7] or address end
local wasOut = redis.call('HEXISTS', state, 'optedOut') == 1
for field, value in pairs(theirs) do
  local name, thread = string.match(field, '^(%a+)@(.*)$')
  -- Who had opted out here already was told so.
  local isTold = name == 'confirm' and value == 'opt-out' and wasOut
  if name == 'merged' or (name == 'confirm' and not isTold) then
    redis.call('HSETNX', state, field, value)
  elseif name == 'owner' then
    if tonumber(value) > tonumber(redis.call('HGET', state, field) or '0') then redis.call('HSET', state, field, value) end
  elseif name == 'lastInbound' or name == 'takeover' then
    if tonumber(value) > tonumber(redis.call('HGET', state, field) or '0') then
      redis.call('HSET', state, field, value)
      for _, beside in ipairs(name == 'takeover' and { 'takeoverMs@', 'handoff@', 'why@', 'told@' } or { 'from@' }) do
        if beside == 'from@' and theirs[beside .. thread] then theirs[beside .. thread] = current(theirs[beside .. thread]) end
        if theirs[beside .. thread] then redis.call('HSET', state, beside .. thread, theirs[beside .. thread]) end
      end
    end
  end
end

local lines = redis.call('LRANGE', history, 0, -1)
local order = {}
for _, line in ipairs(lines) do order[#order + 1] = { cjson.decode(line).at, #order, line } end
for _, line in ipairs(cjson.decode(ARGV[4])) do order[#order + 1] = { cjson.decode(line).at, #order, line } end
table.sort(order, function(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end)
redis.call('DEL', history)
for _, entry in ipairs(order) do redis.call('RPUSH', history, entry[3]) end

local ids = cjson.decode(ARGV[6])
for i = 1, #ids, 2 do redis.call('ZADD', seen, 'NX', ids[i + 1], ids[i]) end
local waiting = cjson.decode(ARGV[5])
for _, message in ipairs(waiting) do
  -- Inside of a text there would be a backslash before the quotation mark.
  if ARGV[7] ~= '' then message = string.gsub(message, '"from":"%d+"', '"from":"' .. ARGV[7] .. '"', 1) end
  redis.call('RPUSH', mailbox, message)
end
if #waiting > 0 then
  redis.call('PERSIST', mailbox)
  redis.call('ZADD', due, 'NX', now, ARGV[2])
end
if theirs.blocked then redis.call('HSET', state, 'blocked', 1) end
for _, field in ipairs({ 'throttled', 'excused' }) do
  if tonumber(theirs[field] or 0) > tonumber(redis.call('HGET', state, field) or 0) then
    redis.call('HSET', state, field, theirs[field])
  end
end
local function latest(field) return math.max(tonumber(theirs[field] or 0), tonumber(redis.call('HGET', state, field) or 0)) end
local out, agreed = latest('optedOut'), latest('optedIn')
redis.call('HDEL', state, 'optedOut', 'optedIn')
if out > 0 and out >= agreed then
  redis.call('HSET', state, 'optedOut', out)
elseif agreed > 0 then
  redis.call('HSET', state, 'optedIn', agreed)
end
-- Nothing expires while there is work; the state not while the contact is blocked or has opted out.
local isDue = redis.call('ZSCORE', due, ARGV[2])
if isDue or redis.call('HEXISTS', state, 'blocked') + redis.call('HEXISTS', state, 'optedOut') > 0 then
  redis.call('PERSIST', state)
else
  redis.call('PEXPIRE', state, ARGV[1])
end
if isDue then
  redis.call('PERSIST', history)
else
  redis.call('PEXPIRE', history, ARGV[1])
end
return { 'added' }
