-- Asks who is signed in, each time with another token of a file: drawn at random (by the seed `order`), or one after the other ("once").
-- Arguments: the file, `bearer` or `cookie`, the order.
local tokens, before, order, number = {}, "", "", 0
local after = "\r\n\r\n"

function init(arguments)
  for line in io.lines(arguments[1]) do tokens[#tokens + 1] = line end
  local carrier = arguments[2] == "cookie" and "Cookie: doorward=" or "Authorization: Bearer "
  before = "GET /auth/v1/session HTTP/1.1\r\nHost: localhost\r\n" .. carrier
  order = arguments[3]
  math.randomseed(tonumber(order) or 0)
end

function request()
  if order == "once" then number = number % #tokens + 1 else number = math.random(#tokens) end
  return before .. tokens[number] .. after
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "median_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, wrong, latency:percentile(50), latency:percentile(99)
  ))
end
