-- What wrk asks for, and how it answers: many paths of one kind, in JSON at the end. See load.ts.
local prefix, kind, count, step
local begun = false

function init(args)
  prefix, kind, count, step = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  math.randomseed(os.time())
end

-- As in many-images.ts.
local function uuid(index)
  return string.format('%08x-1000-4000-8000-%012x', index * 2654435761 % 4294967296, index)
end

function request()
  if not begun then
    begun = true
    io.stderr:write('begun\n')
    io.stderr:flush()
  end
  local path = prefix
  local number = math.random(0, math.floor((count - 1) / step)) * step
  if kind == 'uuid' then path = prefix .. uuid(number) end
  if kind == 'number' then path = prefix .. number end
  return wrk.format('GET', path)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"bad":%d,"errors":%d,"middle":%f,"late":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
