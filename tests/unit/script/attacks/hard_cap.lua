-- expect: exit
-- One instruction that asks for far more than the hard cap cannot be interrupted half-way.
local s = ("h"):rep(7e6)
return s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s
