-- expect: overtime
for _ = 1, math.huge do
end
