-- One kind of request after another, about rows of a filled database (load.py) drawn at random. Arguments: the kind, a seed, and
--   check LAST STEP         sessions whose numbers are multiples of STEP, up to LAST
--   check-each LAST DONE    one session after the other, of which DONE have had their turn; after LAST the first again
--   sign-in LAST REST       users whose numbers leave REST when halved, up to LAST
--   search LAST KIND TOKEN  names: of one user, of a hundred, or of nobody; the token is an administrator's
local kinds, arguments = {}, {}

kinds["check"] = function()
  local number = arguments.step * math.random(math.floor(arguments.last / arguments.step))
  return wrk.format("GET", "/auth/v1/session", { Authorization = string.format("Bearer growth-%036d", number) })
end

kinds["check-each"] = function()
  arguments.done = arguments.done % arguments.last + 1
  return wrk.format("GET", "/auth/v1/session", { Authorization = string.format("Bearer growth-%036d", arguments.done) })
end

kinds["sign-in"] = function()
  local number = 2 * math.random(arguments.last / 2) - tonumber(arguments.third)
  local body = string.format('{"identifier":"user%08d","password":"a parrot of the north"}', number)
  return wrk.format("POST", "/auth/v1/sign-in/password", { ["Content-Type"] = "application/json" }, body)
end

kinds["search"] = function()
  local number = math.random(arguments.last - 1)
  local typed = { one = "user%08d", many = "user%06d", nobody = "nobody%08d" }
  if arguments.third == "many" then number = math.random(0, math.max(math.floor(number / 100) - 1, 0)) end
  local path = "/admin/v1/users?search=" .. string.format(typed[arguments.third], number)
  return wrk.format("GET", path, { Authorization = "Bearer " .. arguments.token })
end

function init(given)
  math.randomseed(tonumber(given[2]))
  arguments = { kind = given[1], last = tonumber(given[3]), step = tonumber(given[4]), third = given[4], token = given[5] }
  arguments.done = tonumber(given[4])
end

function request()
  return kinds[arguments.kind]()
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "median_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, wrong, latency:percentile(50), latency:percentile(99)
  ))
end
