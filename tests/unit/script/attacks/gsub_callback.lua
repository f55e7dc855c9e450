-- expect: overtime
return ("a"):gsub("a", function() while true do end end)
