-- Sends the requests of a file, each after a line with its length, one after the other, again and again.
-- Its name, and the status that is expected, stand in the environment.

local threads, requests, place = {}, {}, 0
sent, unexpected = 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init()
  local file = assert(io.open(os.getenv("BENCHMARK_REQUESTS"), "rb"))
  local text, from = file:read("*a"), 1
  file:close()
  expected = tonumber(os.getenv("BENCHMARK_STATUS"))
  while from <= #text do
    local newline = text:find("\n", from, true)
    local length = tonumber(text:sub(from, newline - 1))
    table.insert(requests, text:sub(newline + 1, newline + length))
    from = newline + length + 1
  end
end

function request()
  sent = sent + 1
  place = place % #requests + 1
  return requests[place]
end

function response(status)
  if status ~= expected then unexpected = unexpected + 1 end
end

function done(summary, latency)
  local all, wrong = 0, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for number, thread in ipairs(threads) do
    -- One of the first thread's is only looked at, to know whether requests are pipelined.
    all = all + thread:get("sent") - (number == 1 and 1 or 0)
    wrong = wrong + thread:get("unexpected")
  end
  io.write(string.format(
    '\n{"sent": %d, "unexpected": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f}\n',
    all, wrong, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
