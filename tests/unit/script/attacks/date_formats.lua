-- expect: overtime
while true do
  os.date(("%c"):rep(1000))
  pcall(os.date, "%99999999d")
  pcall(os.time, { year = 1e300, month = -1e300, day = 0 / 0 })
end
