-- SPDX-License-Identifier: MIT
-- What a script found or did, on standard output: a table for people, JSON or CSV for programs.
local cjson = require "cjson"
local csv = require "csv"
local text_table = require "text_table"

local report = {}

local function cell(value)
  if type(value) == "table" then
    return table.concat(value, " ")
  end
  return value == nil and "" or tostring(value)
end

local function cells(columns, row)
  local values = {}
  for i, column in ipairs(columns) do
    values[i] = cell(row[column])
  end
  return values
end

-- What of a row stands beneath it, each on lines of its own behind its mark.
local function notes(columns, row, beneath)
  local list = {}
  for _, column in ipairs(columns) do
    local mark, text = beneath[column], cell(row[column])
    if mark and text ~= "" then
      list[#list + 1] = { mark = mark, text = text }
    end
  end
  return list
end

local formats = {}

function formats.table(columns, rows, beneath)
  if #rows == 0 then
    return
  end
  local titles, beside, texts, below = {}, {}, {}, {}
  for _, column in ipairs(columns) do
    if not beneath[column] then
      beside[#beside + 1] = column
      titles[#titles + 1] = column:gsub("_", " ")
    end
  end
  for i, row in ipairs(rows) do
    texts[i], below[i] = cells(beside, row), notes(columns, row, beneath)
  end
  io.write(text_table.render(titles, texts, below))
end

function formats.csv(columns, rows)
  io.write(csv.encode(columns), "\n")
  for _, row in ipairs(rows) do
    io.write(csv.encode(cells(columns, row)), "\n")
  end
end

-- An empty list is a list, which cjson could not know.
local function encode(value)
  if type(value) ~= "table" then
    return cjson.encode(value == nil and cjson.null or value)
  end
  local items = {}
  for i, item in ipairs(value) do
    items[i] = cjson.encode(item)
  end
  return "[" .. table.concat(items, ",") .. "]"
end

-- Members in the order of the columns, which cjson would not keep.
local function object(columns, row)
  local members = {}
  for i, column in ipairs(columns) do
    members[i] = cjson.encode(column) .. ":" .. encode(row[column])
  end
  return "{" .. table.concat(members, ",") .. "}"
end

function formats.json(columns, rows)
  local objects = {}
  for i, row in ipairs(rows) do
    objects[i] = object(columns, row)
  end
  io.write("[", #objects > 0 and "\n" or "", table.concat(objects, ",\n"), "\n]\n")
end

---The names that `print` takes, for a command line's choices.
---@type string[]
report.formats = { "table", "json", "csv" }

---Prints rows in the order given; no table when there are none.
---@param format "table"|"json"|"csv"
---@param columns string[] keys of the rows; the table's titles have spaces for underscores
---@param rows table[] strings, numbers, booleans or lists of strings by column; what is absent is
---null in JSON
---@param beneath? table<string, string> columns that the table shows on lines of their own beneath
---the row, with the mark in front of them
function report.print(format, columns, rows, beneath)
  formats[format](columns, rows, beneath or {})
  io.stdout:flush() -- before anything that is said about it on standard error
end

return report
