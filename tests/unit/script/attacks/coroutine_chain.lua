-- expect: overtime
local function chain(n)
  if n == 0 then
    while true do end
  end
  coroutine.wrap(chain)(n - 1)
end
while true do
  pcall(chain, 30)
end
