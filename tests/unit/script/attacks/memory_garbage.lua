-- expect: done
-- Far more than the cap in total, little of it alive: the collector must cope, not the cap.
local keep = {}
for i = 1, 4000 do
  keep[i % 8 + 1] = ("g"):rep(100000) .. i
end
