-- expect: overtime
local long = ("y"):rep(3e5)
for _ in long:gmatch(".") do
  for _ in long:gmatch(".") do
  end
end
