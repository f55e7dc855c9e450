-- expect: overtime
::again::
goto again
