-- SPDX-License-Identifier: Apache-2.0
local methods = assert(loadfile "lua/luttpd/request.lua") {
  parse_form = function(text) return { form = text } end,
  decode_json = function(text)
    if text == "bad" then return nil, "wrong at byte 1" end
    return { json = text }
  end,
}

-- A request whose content comes in these chunks.
local function request(chunks, length)
  local req = setmetatable({ length = length or false, read = 0 }, { __index = methods })
  function req.body(self)
    return function()
      self.read = self.read + 1
      return chunks[self.read]
    end, self
  end
  return req
end

describe("read_all", function()
  it("joins the chunks", function()
    assert.equal("abc", request({ "a", "b", "c" }):read_all())
    assert.equal("", request({}):read_all())
  end)

  it("refuses an announced length above the limit before it reads", function()
    local req = request({ "abc" }, 3)
    assert.same({ nil, "the content is larger than 2 bytes", 413 }, { req:read_all(2) })
    assert.equal(0, req.read)
  end)

  it("stops reading where the limit is passed", function()
    local req = request { "ab", "c", "d", "e" }
    assert.same({ nil, "the content is larger than 2 bytes", 413 }, { req:read_all(2) })
    assert.equal(2, req.read)
  end)

  it("takes a megabyte unless told otherwise", function()
    local half = ("x"):rep(512 * 1024)
    assert.equal(1024 * 1024, #request({ half, half }):read_all())
    assert.is_nil((request({ half, half, "x" }):read_all()))
  end)

  it("raises where the limit is no number", function()
    assert.has_error(function() request({}):read_all "1k" end)
  end)
end)

describe("form and json", function()
  it("parse all of it", function()
    assert.same({ form = "a=1" }, request({ "a=", "1" }):form())
    assert.same({ json = "[1]" }, request({ "[1]" }):json())
  end)

  it("hand on why not", function()
    assert.same({ nil, "the content is larger than 1 bytes", 413 }, { request({ "ab" }):form(1) })
    assert.same({ nil, "the content is larger than 1 bytes", 413 }, { request({ "ab" }):json(1) })
    assert.same({ nil, "wrong at byte 1", 400 }, { request({ "bad" }):json() })
  end)
end)
