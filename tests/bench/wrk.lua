-- One request for pages; for booking the next body of a file, each used once. Prints JSON at the end.
local bodies, number = {}, 0

function init(args)
  if args[1] then
    for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  end
end

function request()
  if #bodies == 0 then return wrk.request() end
  number = number + 1
  -- Past the end the same body would come again and answer without a booking: fail loudly.
  return wrk.format(nil, nil, nil, bodies[number] or "no=more")
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "bytes": %d, "bad_status": %d, "broken": %d, ' ..
    '"p50_ms": %.3f, "p95_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, e.status,
    e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
