-- expect: failed pattern too complex
return ("ab"):rep(5000):find("(.*)(.*)%1%2c")
