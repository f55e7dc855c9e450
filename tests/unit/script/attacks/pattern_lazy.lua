-- expect: failed pattern too complex
return ("a"):rep(300):find((".-"):rep(4) .. "b")
