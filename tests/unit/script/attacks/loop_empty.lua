-- expect: overtime
repeat until false
