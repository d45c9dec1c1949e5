-- What wrk sends, from the environment: METHOD, TARGET ({id} is replaced), BODY, TOKEN, IDS (a file, one a line),
-- ORDER (each id once, or at random), OUT (where the figures go, as JSON).
local method, target, body = os.getenv("METHOD") or "GET", os.getenv("TARGET"), os.getenv("BODY")
local headers = {}
if body then headers["content-type"] = "application/json" end
if os.getenv("TOKEN") then headers["authorization"] = "Bearer " .. os.getenv("TOKEN") end
local ids = {}
if os.getenv("IDS") then for line in io.lines(os.getenv("IDS")) do ids[#ids + 1] = line end end
local once = os.getenv("ORDER") == "once"
math.randomseed(tonumber(os.getenv("SEED") or "1"))

local sent, fixed = 0, nil
request = function()
  sent = sent + 1
  if #ids == 0 then
    fixed = fixed or wrk.format(method, target, headers, body)
    return fixed
  end
  local id = once and ids[(sent - 1) % #ids + 1] or ids[math.random(#ids)]
  return wrk.format(method, (target:gsub("{id}", id)), headers, body)
end

done = function(summary, latency)
  local errors = summary.errors
  local out = io.open(os.getenv("OUT"), "w")
  out:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
  out:close()
end
