-- expect: overtime
while true do
  xpcall(error, function() for _ = 1, 1e15 do end end, "again")
end
