-- SPDX-License-Identifier: Apache-2.0
-- lint-size.lua: what HACKING.md says about length: a function has at most 40 lines, a file at most
-- 500, a header at most 120. Sources only: a test may list as many cases as it likes.

local FUNCTION_MAX, FILE_MAX, HEADER_MAX = 40, 500, 120

-- How a function begins and ends at the left margin, in formatted sources.
local LANGUAGES = {
    c = { first = "^[%a_].*%) {$", continued = "^%s.*%) {$", last = "^}" },
    lua = { first = "^%f[%a][%w_ .=]*function[ %w_.:]*%(.*%)%s*$", last = "^end" },
}

local faults = 0

local function fault(path, line, ...)
    faults = faults + 1
    print(("%s:%d: %s"):format(path, line, string.format(...)))
end

-- A signature may fill several lines; only the line with its brace says that the body begins.
local function check_functions(path, language, lines)
    local start
    for i, line in ipairs(lines) do
        if not start and (line:match(language.first) or (language.continued and line:match(language.continued)
                and lines[i - 1]:match("^[%a_ ]") and not lines[i - 1]:match("[;{}]$"))) then
            start = i
        elseif start and line:match(language.last) then
            if i - start - 1 > FUNCTION_MAX then
                fault(path, start, "%d lines in a function, at most %d", i - start - 1, FUNCTION_MAX)
            end
            start = nil
        end
    end
end

local function check_file(path)
    local lines = {}
    for line in io.lines(path) do lines[#lines + 1] = line end
    local most = path:match("%.h$") and HEADER_MAX or FILE_MAX
    if #lines > most then fault(path, #lines, "%d lines, at most %d", #lines, most) end
    check_functions(path, path:match("%.lua$") and LANGUAGES.lua or LANGUAGES.c, lines)
end

local files = assert(io.popen("find runtime lua cmake scripts -name '*.[ch]' -o -name '*.lua' | sort"))
for path in files:lines() do check_file(path) end
files:close()
os.exit(faults == 0 and 0 or 1)
