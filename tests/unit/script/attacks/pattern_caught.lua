-- expect: overtime
local long = ("a"):rep(1e5)
while true do
  pcall(string.find, long, "a-b")
end
