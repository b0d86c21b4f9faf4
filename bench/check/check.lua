-- Asks who is signed in, each time with another of the tokens of a file, drawn at random. Arguments: the file, `bearer` or `cookie`.
local tokens, as_cookie = {}, false

function init(arguments)
  for line in io.lines(arguments[1]) do tokens[#tokens + 1] = line end
  as_cookie = arguments[2] == "cookie"
  math.randomseed(tonumber(arguments[3]))
end

function request()
  local token = tokens[math.random(#tokens)]
  local headers = as_cookie and { Cookie = "doorward=" .. token } or { Authorization = "Bearer " .. token }
  return wrk.format("GET", "/auth/v1/session", headers)
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "median_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, wrong, latency:percentile(50), latency:percentile(99)
  ))
end
