-- expect: overtime
local function reader()
  load(reader)
  return nil
end
while true do
  pcall(load, reader)
end
