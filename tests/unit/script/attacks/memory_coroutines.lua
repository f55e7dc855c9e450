-- expect: oversize
local keep = {}
while true do
  local co = coroutine.create(function() coroutine.yield(("c"):rep(100)) end)
  coroutine.resume(co)
  keep[#keep + 1] = co
end
