-- expect: done
-- Linear with the two-way search; a naive one would compare 10 to the 11 bytes.
local long, part = ("a"):rep(6e5), ("a"):rep(3e5) .. "b"
for _ = 1, 20 do
  assert(long:find(part, 1, true) == nil)
end
