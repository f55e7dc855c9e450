-- expect: failed attempt to yield
coroutine.yield(1)
