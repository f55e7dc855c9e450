-- expect: failed pattern too complex
return ("a"):rep(200):find(("a*"):rep(4) .. "b")
