-- expect: overtime
while true do
  pcall(unpack, {}, 1, 1e8)
  pcall(unpack, {}, 1, 7000)
  pcall(select, -1, unpack({}, 1, 7000))
  pcall(string.byte, ("b"):rep(7000), 1, -1)
end
