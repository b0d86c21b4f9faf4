-- Signs users in, one after another, and writes each token on a line of its own. Arguments: users in all, their password.
local users, password, number, tokens = 0, "", 0, nil

function init(arguments)
  users, password = tonumber(arguments[1]), arguments[2]
  tokens = assert(io.open(arguments[3], "a"))
end

function request()
  number = number % users + 1
  local body = string.format('{"identifier":"user%d","password":"%s"}', number, password)
  return wrk.format("POST", "/auth/v1/sign-in/password", { ["Content-Type"] = "application/json" }, body)
end

function response(status, _, body)
  if status == 200 then
    tokens:write(string.match(body, '"token":"([^"]+)"'), "\n")
    tokens:flush()
  end
end
