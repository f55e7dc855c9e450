-- expect: failed resulting string too large
return (""):rep(1e9, ("x"):rep(1000))
