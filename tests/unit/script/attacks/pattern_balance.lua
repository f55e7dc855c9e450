-- expect: failed pattern too complex
return ("("):rep(1e5):find("%b()")
