-- SPDX-License-Identifier: MIT
---@meta cjson

---lua-cjson with guards that a script cannot loosen. The rest of its interface is left out.
---@class cjson
---@field null lightuserdata what JSON's null is decoded to; true in a condition
local cjson = {}

---Secrets become "[secret]". An empty table becomes `{}`, an empty `domains` `[]`. Whole numbers have
---no decimal point. Raises for what JSON cannot express.
---@param value any
---@return string text
function cjson.encode(value) end

---Whole numbers become integers. Raises when the text is not JSON.
---@param text string at most 64 MiB
---@return any value
function cjson.decode(text) end

return cjson
