-- expect: overtime
while true do
  load("return " .. ("("):rep(1e5) .. (")"):rep(1e5))
  load("local a = " .. ("{"):rep(1e5))
  load(("do "):rep(1e5))
end
