-- expect: overtime
while true do
  load(function() return "x = 1 " end)
end
