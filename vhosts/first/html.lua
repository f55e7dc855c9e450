-- SPDX-License-Identifier: Apache-2.0
-- html.lua: text into HTML.

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local html = {}

function html.escape(text) return (tostring(text):gsub("[&<>\"']", ESCAPES)) end

--- Puts values[name] where template says {{name}}. The values are HTML already.
function html.fill(template, values)
  return (template:gsub("{{([%w_]+)}}", function(name)
    return values[name] or error("nothing for {{" .. name .. "}}")
  end))
end

return html
