-- SPDX-License-Identifier: Apache-2.0
-- report.lua: what client.py reads: one line of numbers, times in microseconds.
-- luacheck: globals done

function done(summary, latency)
  local errors = summary.errors
  io.write(("\n@@ %d %d %d %d %d %d %d %d %d %d\n"):format(summary.requests, summary.duration, summary.bytes,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
