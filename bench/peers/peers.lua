-- Calls of one kind. Arguments: the method, the path, a file of headers for all calls, and one of what is drawn at random: with `check` the
-- header (name: value) that carries a session, with `sign-in` the body.
local given, headers, drawn = {}, {}, {}

local function split(line)
  return string.match(line, "^([^:]+): (.*)$")
end

function init(arguments)
  given = { kind = arguments[1], method = arguments[2], path = arguments[3] }
  for line in io.lines(arguments[4]) do
    local name, value = split(line)
    headers[name] = value
  end
  for line in io.lines(arguments[5]) do drawn[#drawn + 1] = line end
  math.randomseed(tonumber(arguments[6]))
end

function request()
  local one = drawn[math.random(#drawn)]
  if given.kind == "sign-in" then return wrk.format(given.method, given.path, headers, one) end
  local name, value = split(one)
  headers[name] = value
  return wrk.format(given.method, given.path, headers)
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "median_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, wrong, latency:percentile(50), latency:percentile(99)
  ))
end
