-- expect: failed resulting string too large
local part = ("p"):rep(1e6)
return string.format(("%s"):rep(20), unpack((function()
  local all = {}
  for i = 1, 20 do
    all[i] = part
  end
  return all
end)()))
