-- expect: overtime
local long = ("a"):rep(1e6)
while true do
  long:gsub(".", "%0")
end
